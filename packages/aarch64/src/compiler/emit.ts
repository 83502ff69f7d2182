import type { CallHelper } from "../a64/helper.js";
import { AT, RECORD_BYTES } from "../layout.js";
import { Body, type Label } from "../wasm/body.js";
import { i32, i64 } from "../wasm/integer.js";
import type { Value } from "../wasm/value.js";
import { analyse, type Flow, reversePostorder } from "./flow.js";
import type { Block } from "./region.js";
import { CompilerStage, type Terminator } from "./stage.js";

/** What a region says on its way out: go on at AT.PC, or interpret the record AT.RECORD. */
export const REGION = { jump: 0, interpret: 1 } as const;

const zero = i32.konst(0);
const PAGE_BYTES = 4096;

/** A region's blocks and the exception level it is compiled for. */
export interface RegionSource {
  readonly blocks: readonly Block[];
  readonly el: 0 | 1;
}

/**
 * Emits a region as a function () -> REGION. Guest registers are locals between its first and its last instruction. All ways out meet in one epilogue that stores
 * what changed. Control flow becomes nested blocks and loops along the dominator tree (Ramsey, "Beyond Relooper"); an edge that does not fit, and all edges out of
 * the page, leave the region.
 */
export function emitRegion(call: CallHelper, source: RegionSource): Body {
  return new RegionEmitter(call, source).emit();
}

class RegionEmitter {
  readonly #body = new Body();
  readonly #blocks: readonly Block[];
  readonly #flow: Flow;
  readonly #nodeAt: ReadonlyMap<number, number>;
  readonly #stage: CompilerStage;
  readonly #usesFp: boolean;
  readonly #el: 0 | 1;
  readonly #page = this.#body.local("i64");
  readonly #tlb = this.#body.local("i32");
  readonly #budget = this.#body.local("i32");
  readonly #pc = this.#body.local("i64");
  /** Distance of the record to interpret from the page's first. */
  readonly #record = this.#body.local("i32");
  readonly #status = this.#body.local("i32");
  readonly #labels = new Map<number, Label>();
  readonly #loops = new Map<number, Label>();
  #jumpOut!: Label;
  #interpretOut!: Label;
  /** Instructions of the current block from the current one on: they have been paid for. */
  #unspent = 0;
  #offset = 0;

  constructor(call: CallHelper, { blocks, el }: RegionSource) {
    const at = new Map(blocks.map((b, i) => [b.start, i]));
    const next = (i: number): number[] => {
      const block = blocks[i] as Block;
      const isCall = block.instructions.at(-1)?.decoded.form.name === "BL";
      return [isCall ? undefined : block.target, block.fallsThrough ? block.end : undefined].map((o) => (o === undefined ? undefined : at.get(o))).filter((n) => n !== undefined);
    };
    const order = reversePostorder(blocks.length, next);
    const numberOf = new Map(order.map((old, i) => [old, i]));
    this.#blocks = order.map((old) => blocks[old] as Block);
    this.#flow = analyse(order.map((old) => next(old).map((n) => numberOf.get(n) ?? 0)));
    this.#nodeAt = new Map(this.#blocks.map((b, i) => [b.start, i]));
    this.#usesFp = blocks.some((b) => b.instructions.some((i) => i.decoded.form.fp));
    this.#el = el;
    this.#stage = new CompilerStage({ body: this.#body, page: this.#page.value, tlb: this.#tlb.value, el, bail: () => this.#interpret(this.#offset), call });
  }

  emit(): Body {
    const body = this.#body;
    const out = body.block();
    this.#interpretOut = body.block();
    this.#jumpOut = body.block();
    const entry = (this.#blocks[0] as Block).start;
    this.#offset = entry;
    // The record can be reached at the other exception level, and with FP disabled: the interpreter sees to those.
    const isUnfit = i32.ne(i32.load(zero, AT.EL), i32.konst(this.#el));
    body.if(this.#usesFp ? i32.or(isUnfit, i32.load(zero, AT.FP_TRAP)) : isUnfit, () => this.#interpret(entry));
    this.#tree(0);
    body.end();
    body.store("i64", zero, this.#pc.value, AT.PC);
    this.#status.set(i32.konst(REGION.jump));
    body.br(out);
    body.end();
    body.store("i32", zero, i32.add(i32.load(zero, AT.CODE), this.#record.value), AT.RECORD);
    this.#status.set(i32.konst(REGION.interpret));
    body.end();
    this.#stage.emitStores();
    body.store("i32", zero, this.#budget.value, AT.BUDGET);
    body.return(this.#status.value);
    body.prepend(() => {
      this.#page.set(i64.load(zero, AT.PAGE));
      this.#tlb.set(i32.load(zero, AT.TLB));
      this.#budget.set(i32.load(zero, AT.BUDGET));
      this.#stage.emitLoads();
    });
    return body;
  }

  /** Leaves for the interpreter at an offset; what is left of the block was not executed. */
  #interpret(offset: number): void {
    if (this.#unspent > 0) this.#budget.set(i32.add(this.#budget.value, i32.konst(this.#unspent * RECORD_BYTES)));
    this.#record.set(i32.konst(offset * (RECORD_BYTES / 4)));
    this.#body.br(this.#interpretOut);
  }

  #leaveTo(pc: Value): void {
    this.#pc.set(pc);
    this.#body.br(this.#jumpOut);
  }

  #leaveNear(offset: number): void {
    this.#leaveTo(i64.add(this.#page.value, i64.konst(offset)));
  }

  /** Emits a node and all that it dominates. */
  #tree(node: number): void {
    const isLoop = this.#flow.isLoopHeader[node] ?? false;
    if (isLoop) this.#loops.set(node, this.#body.loop());
    const merges = (this.#flow.children[node] ?? []).filter((child) => this.#flow.isMerge[child]);
    this.#within(node, merges.toReversed());
    if (isLoop) {
      this.#body.unreachable();
      this.#body.end();
      this.#body.unreachable();
    }
  }

  /** Emits a node inside a block for each merge node that it dominates; the nodes follow their blocks. Latest first. */
  #within(node: number, merges: readonly number[]): void {
    const [last, ...rest] = merges;
    if (last === undefined) return this.#block(node);
    this.#labels.set(last, this.#body.block());
    this.#within(node, rest);
    this.#body.end();
    this.#tree(last);
  }

  #block(node: number): void {
    const block = this.#blocks[node] as Block;
    const body = this.#body;
    this.#budget.set(i32.sub(this.#budget.value, i32.konst(block.instructions.length * RECORD_BYTES)));
    this.#stage.startBlock();
    let terminator: Terminator | undefined;
    body.scope(() => {
      for (const [i, instruction] of block.instructions.entries()) {
        this.#unspent = block.instructions.length - i;
        this.#offset = instruction.offset;
        terminator = this.#stage.run(instruction);
      }
    });
    this.#unspent = 0;
    this.#leave(node, block, terminator);
  }

  /** The way on from a block; nothing is evaluated between its last instruction and this. */
  #leave(node: number, block: Block, terminator: Terminator | undefined): void {
    const { target = 0 } = block;
    switch (terminator?.kind) {
      case "goto":
        return this.#edge(node, target, block.instructions.at(-1)?.decoded.form.name === "BL");
      case "indirect":
        return this.#leaveTo(terminator.target);
      case "if":
        this.#body.if(terminator.condition, () => this.#edge(node, target, false));
        return this.#edge(node, block.end, false);
      default:
        if (block.endsInterpreted && block.end < PAGE_BYTES) this.#interpret(block.end);
        else this.#edge(node, block.end, false);
    }
  }

  /** Goes to an offset: a node of the region if there is one and the edge is structured, else out. */
  #edge(from: number, offset: number, isCall: boolean): void {
    const to = isCall ? undefined : this.#nodeAt.get(offset);
    if (to === undefined || !this.#flow.isStructured(from, to)) return this.#leaveNear(offset);
    if (to <= from) {
      this.#body.if(i32.ltS(this.#budget.value, zero), () => this.#leaveNear(offset));
      return this.#body.br(this.#loops.get(to) as Label);
    }
    const label = this.#flow.isMerge[to] ? this.#labels.get(to) : undefined;
    if (label !== undefined) this.#body.br(label);
    else this.#tree(to);
  }
}
