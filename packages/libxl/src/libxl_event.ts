import { LibxlError, type ShutdownReason } from "./include/libxl.js";
import { listDomain } from "./libxl_domain.js";
import { type Ctx, reason } from "./libxl_internal.js";
import type { DomainEvent, Dominfo } from "./libxl_types.js";

/** A registered wish to hear about one domain's end (`libxl_evenable_domain_death`). */
export interface DomainDeathGenerator {
  /** Stops it; idempotent. */
  disable(): void;
}

/** Registers generators; one subscription to the hypervisor serves all of them (libxl's shared @releaseDomain watch). */
export interface DeathWatch {
  enable(domid: number, listener: (event: DomainEvent) => void): DomainDeathGenerator;
  /** Resolves when no look at the domains is in the air: who closes the connection after that cuts nothing off. */
  settled(): Promise<void>;
}

interface Generator {
  readonly domid: number;
  readonly listener: (event: DomainEvent) => void;
  /** The domain that was first seen under the id; another one means that it is gone. */
  uuid: string | undefined;
  /** The shutdown was reported. */
  told: boolean;
}

/** Builds the death watch of one libxl. */
export function createDeathWatch(ctx: Ctx): DeathWatch {
  const generators = new Set<Generator>();
  let unsubscribe: (() => void) | undefined;
  // A connection that is lost is told by those who wait for events.
  const silent: Ctx = { ...ctx, log: () => undefined };
  let round: Promise<void> | undefined;
  let again = false;

  /** Looks at the domains; a change during that leads to another round. */
  function check(): void {
    again = true;
    round ??= compare().finally(() => (round = undefined));
  }

  /** Compares all domains with what the generators know. */
  async function compare(): Promise<void> {
    while (again && generators.size > 0) {
      again = false;
      // Only those that were there before the list was made: a list may be older than a younger generator's domain.
      const asked = [...generators];
      const found = await listDomain(silent).catch(() => undefined);
      if (found === undefined) return;
      const domains = new Map(found.map((info) => [info.domid, info]));
      for (const generator of asked) if (generators.has(generator)) report(generator, domains.get(generator.domid));
    }
  }

  function report(generator: Generator, info: Dominfo | undefined): void {
    const { domid } = generator;
    const gone = info === undefined || info.dying || (generator.uuid !== undefined && generator.uuid !== info.uuid);
    if (gone) {
      disable(generator);
      emit(generator, { type: "domain_death", domid });
      return;
    }
    generator.uuid = info.uuid;
    if (!info.shutdown || generator.told) return;
    generator.told = true;
    emit(generator, { type: "domain_shutdown", domid, shutdown_reason: info.shutdown_reason, shutdown_code: info.shutdown_code });
  }

  function emit(generator: Generator, event: DomainEvent): void {
    try {
      generator.listener(event);
    } catch (error) {
      ctx.log("error", `a listener for ${event.type} failed: ${reason(error)}`, event.domid);
    }
  }

  function disable(generator: Generator): void {
    generators.delete(generator);
    if (generators.size > 0) return;
    unsubscribe?.();
    unsubscribe = undefined;
  }

  return {
    enable(domid, listener): DomainDeathGenerator {
      const sibling = [...generators].find((other) => other.domid === domid);
      const generator: Generator = { domid, listener, uuid: sibling?.uuid, told: false };
      generators.add(generator);
      unsubscribe ??= ctx.ctrl.onDomainChange(check);
      if (sibling === undefined) check();
      return { disable: () => disable(generator) };
    },
    settled: async () => round,
  };
}

/** The events of one domain until its death, going on after a suspend. Rejects with FAIL when the connection is lost. */
export async function* domainEvents(ctx: Ctx, watch: DeathWatch, domid: number): AsyncGenerator<DomainEvent, void, undefined> {
  const queue: DomainEvent[] = [];
  let wake: () => void = () => undefined;
  let lost = false;
  let generator = watch.enable(domid, push);
  void ctx.ctrl.closed.then(() => {
    lost = true;
    wake();
  });

  function push(event: DomainEvent): void {
    queue.push(event);
    if (event.type === "domain_shutdown" && event.shutdown_reason === "suspend") {
      // The new one first: an old one gone first would end the subscription, and a new one would look at once and see the same suspend.
      const old = generator;
      generator = watch.enable(domid, push);
      old.disable();
    }
    wake();
  }

  try {
    for (;;) {
      const event = queue.shift();
      if (event !== undefined) {
        yield event;
        if (event.type === "domain_death") return;
      } else if (lost) {
        throw new LibxlError("FAIL", `the connection to the hypervisor was lost while domain ${domid} was watched`, { domid });
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    generator.disable();
    await watch.settled();
  }
}

/** Waits for a domain's next shutdown; undefined if it is gone instead. */
export async function domainWaitShutdown(ctx: Ctx, watch: DeathWatch, domid: number): Promise<ShutdownReason | undefined> {
  for await (const event of domainEvents(ctx, watch, domid)) {
    return event.type === "domain_shutdown" ? event.shutdown_reason : undefined;
  }
  return undefined;
}
