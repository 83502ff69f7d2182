import type { GuestConsole } from "guests";
import type { Consoles, Plan } from "./plan.js";
import { median, type Row, row } from "./report.js";
import type { ROWS } from "./rows.js";

/** Seconds that one program may take. */
const PATIENCE = 300;

/** Programs of Debian's as a user runs them. */
interface Workload {
  readonly name: (typeof ROWS.userland)[number];
  /** Done once before, and not measured. */
  readonly prepare?: string;
  /** What is measured. */
  readonly command: string;
  /** Prints what the command made: the same in both guests. */
  readonly result: string;
}

const LOOP = `
def loop(n):
    a, b = 1, 0
    for i in range(n):
        a = (a * 1103515245 + i) & 0x7fffffff
        b ^= a
    return b
print(loop(300000))
`;

const QUERIES = `
create table t(id integer primary key, k integer, s text);
insert into t with recursive c(i) as (select 1 union all select i + 1 from c where i < 20000)
  select i, (i * 7919) % 1000, printf('%x', i * 2654435761) from c;
create index tk on t(k);
select k % 10, count(*), sum(length(s)), max(s) from t group by 1;
select count(*) from t a join t b on b.k = a.id where a.id < 1000;
`;

/** Files of the guest that the programs read, by path. */
export const userlandFiles: Readonly<Record<string, Uint8Array>> = { "bin/loop.py": Buffer.from(LOOP), "bin/queries.sql": Buffer.from(QUERIES) };

const WORKLOADS: readonly Workload[] = [
  {
    name: "tar-gzip",
    command: "cd /usr/lib && /bin/tar --sort=name --mtime=@0 -cf - python3.* | /bin/gzip -n > /tmp/tree",
    result: "/usr/bin/sha256sum < /tmp/tree",
  },
  {
    name: "sha256sum",
    prepare: "cat /usr/bin/python3.* /usr/bin/python3.* /usr/bin/python3.* /usr/bin/python3.* > /tmp/data",
    command: "/usr/bin/sha256sum /tmp/data > /tmp/sum",
    result: "cat /tmp/sum",
  },
  { name: "python", command: '/usr/bin/python3 -c "$(cat /bin/loop.py)" > /tmp/value', result: "cat /tmp/value" },
  { name: "sqlite", command: "/usr/bin/sqlite3 :memory: < /bin/queries.sql > /tmp/rows", result: "cat /tmp/rows" },
];

/** Runs each chosen program in both guests in turn; seconds of wall time. Throws where the guests' results differ. */
export async function userlandRows({ ours, qemu }: Consoles, { rounds, choice, progress }: Plan): Promise<Row[]> {
  const rows: Row[] = [];
  for (const workload of WORKLOADS.filter(({ name }) => choice.includes(name))) {
    const times: Record<"ours" | "qemu", number[]> = { ours: [], qemu: [] };
    const results = new Set<string>();
    await progress.step(`program ${workload.name}`, async () => {
      if (workload.prepare !== undefined) for (const console of [ours, qemu]) await console?.run(workload.prepare, PATIENCE);
      for (let round = 0; round < rounds; round++) {
        times.ours.push(await measure(ours, workload, results));
        if (qemu !== undefined) times.qemu.push(await measure(qemu, workload, results));
      }
    });
    if (results.size !== 1 || results.has("")) throw new Error(`Program ${workload.name} should print one result everywhere, not ${[...results].join(" | ")}.`);
    rows.push(row(workload.name, "s", median(times.ours), qemu === undefined ? null : median(times.qemu)));
  }
  return rows;
}

async function measure(console: GuestConsole, { command, result }: Workload, results: Set<string>): Promise<number> {
  const start = performance.now();
  await console.run(command, PATIENCE);
  const seconds = (performance.now() - start) / 1000;
  results.add(await console.run(result, PATIENCE));
  return seconds;
}
