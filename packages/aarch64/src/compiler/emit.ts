import type { CallHelper } from "../a64/helper.js";
import { AT, RECORD_BYTES, TLB_ENTRIES, TLB_EXECUTE } from "../layout.js";
import { TRACE } from "../trace.js";
import { Body, type Label, type Local } from "../wasm/body.js";
import { extendS, i32, i64, wrap } from "../wasm/integer.js";
import type { Value } from "../wasm/value.js";
import { analyse, type Flow, reversePostorder } from "./flow.js";
import type { Block, RegionCode } from "./region.js";
import { CompilerStage, startsFromSp, type Terminator } from "./stage.js";

/** What a region says on its way out: go on at AT.PC, or interpret the record AT.RECORD. */
export const REGION = { jump: 0, interpret: 1 } as const;

const zero = i32.konst(0);
const PAGE_BYTES = 4096;

/** A region's code, where it is, and the exception level it is compiled for. */
export interface RegionSource extends RegionCode {
  readonly el: 0 | 1;
  /** Numbers of the pages that its records are in, counted from the page of the entry, which is 0. */
  readonly pages: Iterable<number>;
  /** It leaves before the first instruction for which TRACE.RATION has none left: for whoever looks for one that is compiled wrongly. */
  readonly isRationed?: boolean;
}

/** A region's code, but for where its predecoded pages are. */
export interface EmittedRegion {
  readonly body: Body;
  /** The locals that must hold them before anything else is done. */
  readonly codes: ReadonlyMap<number, Local>;
}

/**
 * Emits a region as a function () -> REGION. Guest registers are locals between its first and its last instruction. All ways out meet in one epilogue that stores
 * what changed. Control flow becomes nested blocks and loops along the dominator tree (Ramsey, "Beyond Relooper"); an edge that does not fit, and all edges out of
 * the page, leave the region.
 */
export function emitRegion(call: CallHelper, source: RegionSource): EmittedRegion {
  return new RegionEmitter(call, source).emit();
}

class RegionEmitter {
  readonly #body = new Body();
  readonly #blocks: readonly Block[];
  readonly #flow: Flow;
  readonly #nodeAt: ReadonlyMap<number, number>;
  readonly #stage: CompilerStage;
  readonly #usesFp: boolean;
  readonly #usesSp: boolean;
  readonly #el: 0 | 1;
  readonly #page = this.#body.local("i64");
  readonly #tlb = this.#body.local("i32");
  readonly #budget = this.#body.local("i32");
  readonly #pc = this.#body.local("i64");
  /** Record to interpret, and its offset. */
  readonly #record = this.#body.local("i32");
  readonly #recordOffset = this.#body.local("i32");
  /** Predecoded pages by page number. */
  readonly #codes: ReadonlyMap<number, Local>;
  readonly #returnSites: readonly number[];
  readonly #isRationed: boolean;
  readonly #status = this.#body.local("i32");
  readonly #labels = new Map<number, Label>();
  readonly #loops = new Map<number, Label>();
  #jumpOut!: Label;
  #interpretOut!: Label;
  /** Instructions of the current block from the current one on: they have been paid for. */
  #unspent = 0;
  #offset = 0;

  constructor(call: CallHelper, { blocks, returnSites, el, pages, isRationed = false }: RegionSource) {
    this.#isRationed = isRationed;
    this.#codes = new Map([...pages].map((page) => [page, this.#body.local("i32")]));
    this.#returnSites = returnSites;
    const at = new Map(blocks.map((b, i) => [b.start, i]));
    const next = (i: number): number[] => {
      const { target, end, fallsThrough, isReturn } = blocks[i] as Block;
      const offsets = isReturn ? returnSites : [target, fallsThrough ? end : undefined];
      return offsets.map((o) => (o === undefined ? undefined : at.get(o))).filter((n) => n !== undefined);
    };
    const successors = blocks.map((_, i) => next(i));
    const order = reversePostorder(blocks.length, (i) => successors[i] ?? []);
    const numberOf = new Map(order.map((old, i) => [old, i]));
    this.#blocks = order.map((old) => blocks[old] as Block);
    this.#flow = analyse(order.map((old) => (successors[old] ?? []).map((n) => numberOf.get(n) ?? 0)));
    this.#nodeAt = new Map(this.#blocks.map((b, i) => [b.start, i]));
    this.#usesFp = blocks.some((b) => b.instructions.some((i) => i.decoded.form.fp));
    this.#usesSp = blocks.some((b) => b.instructions.some((i) => startsFromSp(i.decoded)));
    this.#el = el;
    this.#stage = new CompilerStage({
      body: this.#body,
      page: this.#page.value,
      tlb: this.#tlb.value,
      el,
      bail: () => this.#interpret(this.#offset),
      bailBehind: () => this.#interpretBehind(),
      call,
    });
  }

  emit(): EmittedRegion {
    const body = this.#body;
    const out = body.block();
    this.#interpretOut = body.block();
    this.#jumpOut = body.block();
    const entry = (this.#blocks[0] as Block).start;
    this.#offset = entry;
    // The record can be reached at the other exception level, with FP disabled and with any SP: the interpreter sees to those.
    let isUnfit = i32.ne(i32.load(zero, AT.EL), i32.konst(this.#el));
    if (this.#usesFp) isUnfit = i32.or(isUnfit, i32.load(zero, AT.FP_TRAP));
    if (this.#usesSp) isUnfit = i32.or(isUnfit, this.#stage.isSpOdd());
    body.if(isUnfit, () => this.#interpret(entry));
    for (const [page, code] of this.#codes) if (page !== 0) this.#checkPage(page, code.value, entry);
    this.#tree(0);
    body.end();
    body.store("i64", zero, this.#pc.value, AT.PC);
    this.#status.set(i32.konst(REGION.jump));
    body.br(out);
    body.end();
    const inPage = i32.and(this.#recordOffset.value, i32.konst(PAGE_BYTES - 1));
    body.store("i32", zero, this.#record.value, AT.RECORD);
    body.store("i32", zero, i32.sub(this.#record.value, i32.mul(inPage, i32.konst(RECORD_BYTES / 4))), AT.CODE);
    body.store("i64", zero, i64.add(this.#page.value, extendS(i32.sub(this.#recordOffset.value, inPage))), AT.PAGE);
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
    return { body, codes: this.#codes };
  }

  /** Leaves for the interpreter at an offset; what is left of the block was not executed. */
  #interpret(offset: number): void {
    if (this.#unspent > 0) this.#budget.set(i32.add(this.#budget.value, i32.konst(this.#unspent * RECORD_BYTES)));
    const page = offset >> 12;
    const code = this.#codes.get(page)?.value;
    // Behind the last page at hand there is no record: an ordinary jump finds the way.
    if (code === undefined) return this.#leaveNear(offset);
    this.#record.set(i32.add(code, i32.konst((offset & (PAGE_BYTES - 1)) * (RECORD_BYTES / 4))));
    this.#recordOffset.set(i32.konst(offset));
    this.#body.br(this.#interpretOut);
  }

  #takeRation(): void {
    const body = this.#body;
    const ration = body.let(i32.load(zero, TRACE.RATION));
    body.if(i32.eqz(ration), () => this.#interpret(this.#offset));
    body.store("i32", zero, i32.sub(ration, i32.konst(1)), TRACE.RATION);
  }

  /** Leaves for the interpreter behind the current instruction. */
  #interpretBehind(): void {
    this.#unspent--;
    this.#interpret(this.#offset + 4);
    this.#unspent++;
  }

  /** The region's other pages must be mapped as they were: the TLB of fetches says so, or the interpreter goes there first. */
  #checkPage(page: number, code: Value, entry: number): void {
    const body = this.#body;
    const va = body.let(i64.add(this.#page.value, i64.konst(page * PAGE_BYTES)));
    const at = body.let(i32.add(i32.and(i32.shrU(wrap(va), i32.konst(8)), i32.konst((TLB_ENTRIES - 1) * 16)), this.#tlb.value));
    const isOther = i32.or(i64.ne(i64.load(at, TLB_EXECUTE), va), i32.ne(i32.load(at, TLB_EXECUTE + 8), code));
    body.if(isOther, () => {
      body.store("i64", zero, va, AT.MISSING);
      this.#interpret(entry);
    });
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
        if (this.#isRationed) this.#takeRation();
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
        return this.#edge(node, target);
      case "indirect": {
        this.#pc.set(terminator.target);
        if (block.isReturn) {
          for (const site of this.#returnSites) this.#body.if(i64.eq(this.#pc.value, i64.add(this.#page.value, i64.konst(site))), () => this.#edge(node, site));
        }
        return this.#body.br(this.#jumpOut);
      }
      case "if":
        this.#body.if(terminator.condition, () => this.#edge(node, target));
        return this.#edge(node, block.end);
      default:
        if (block.endsInterpreted) this.#interpret(block.end);
        else this.#edge(node, block.end);
    }
  }

  /** Goes to an offset: a node of the region if there is one and the edge is structured, else out. */
  #edge(from: number, offset: number): void {
    const to = this.#nodeAt.get(offset);
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
