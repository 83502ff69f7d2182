/** What the manual says about a command beyond its row of the command table. */
export interface ManualEntry {
  /** Paragraphs. */
  readonly text: readonly string[];
  /** Command lines, with what they are for behind `#`. */
  readonly examples?: readonly string[];
}

const ASKED =
  "The guest is asked through xenstore, by control/shutdown, and has 60 seconds to take the request. A guest that does not use xenstore, or has shut down, is refused at once, with exit code 1.";
const JSON_NAMES = "With --json the members have libxl's names.";

/** The manual, by command. Hidden commands have none. */
export const MANUAL: Readonly<Record<string, ManualEntry>> = {
  create: {
    text: [
      "Reads a config file in Xen's syntax, builds the domain and starts it. Words of the form key=value behind the file are lines of the config as well, and win. The first command that needs a host starts one.",
      "A monitor process then watches the domain's end and does what on_poweroff, on_reboot, on_crash and on_watchdog say; -e leaves the domain alone, and -F watches here until it is gone. A suspend is no end: the domain stays until xl resume.",
      "Exit codes are libxl's: 3 for a kernel that cannot be used, 6 for settings that contradict each other.",
    ],
    examples: [
      "xl create debian.cfg",
      "xl create -c debian.cfg memory=1024  # with another size, and the console here",
      "xl create -n debian.cfg  # what libxl makes of it, as JSON",
    ],
  },
  "config-update": {
    text: [
      "Keeps another config with a domain. The running domain does not see it: the monitor makes the next one from it, when the domain reboots or is restarted.",
    ],
    examples: ["xl config-update debian debian.cfg"],
  },
  list: {
    text: [
      "A line a domain: memory in MiB, vCPUs that are online, CPU time in seconds, and six letters of state: r runs now, b waits, p is paused, s has shut down, c has crashed, d is dying. A guest that has suspended itself shows ---ss-.",
      JSON_NAMES,
    ],
    examples: ["xl list", "xl list -v debian  # with UUID and reason of the shutdown", "xl list -l debian  # its configuration as JSON"],
  },
  destroy: {
    text: ["Ends a domain at once, as pulling the plug would; its memory comes back. Consoles get the last output first."],
    examples: ["xl destroy debian"],
  },
  shutdown: {
    text: [
      `Asks a guest to power off. ${ASKED}`,
      "What happens once it has is up to on_poweroff. -w waits for the end, a second -w until the domain is gone; -a asks all guests.",
    ],
    examples: ["xl shutdown -w debian", "xl shutdown -aw"],
  },
  reboot: {
    text: [`Asks a guest to reboot. ${ASKED}`, "The monitor makes a new domain, with a new id, as on_reboot says."],
    examples: ["xl reboot debian"],
  },
  pause: { text: ["Stops all vCPUs of a domain until xl unpause. Pauses count: each wants an unpause."], examples: ["xl pause debian"] },
  unpause: {
    text: ["Takes one pause back; with the last one the domain runs. It does not wake a guest that has suspended itself: that is xl resume."],
    examples: ["xl unpause debian"],
  },
  console: {
    text: [
      "Shows a guest's console from its first byte and types at it; Ctrl-] leaves. Many may read, and the first to type is the one who types, until it leaves. The host keeps the last 1 MiB of each console and says how much came before.",
      'The type pv is hvc0 in Linux, vuart the SBSA UART of vuart="sbsa_uart", ttyAMA0 in Linux. Input that is no terminal is typed as it is; at its end the output goes on.',
    ],
    examples: ["xl console debian", "xl console -t vuart -e ^a debian  # Ctrl-a leaves"],
  },
  suspend: {
    text: [
      `Asks a guest to suspend itself to RAM, and waits until it has. ${ASKED} A request that is not taken is withdrawn.`,
      "The guest suspends by a hypercall, not by PSCI: no resume context is kept, and xl resume lets it go on behind that. A guest that writes mem to /sys/power/state takes the way of PSCI SYSTEM_SUSPEND, and needs no xl suspend.",
    ],
    examples: ["xl suspend debian"],
  },
  resume: {
    text: [
      "Lets a domain go on that has shut down with reason suspend. After PSCI SYSTEM_SUSPEND vCPU 0 begins at the entry point that the guest gave, with the context id in x0, and the other vCPUs are off until the guest starts them.",
      "Nothing else ends a suspend: interrupts wait until the domain is resumed.",
    ],
    examples: ["xl resume debian"],
  },
  "dump-core": {
    text: ["Writes the domain's memory and registers as an ELF core that gdb, readelf and crash open. The domain stands still meanwhile."],
    examples: ["xl dump-core debian debian.core"],
  },
  "mem-max": {
    text: ["Sets how much memory a domain may have at most. It does not change what the domain uses, and cannot be below that."],
    examples: ["xl mem-max debian 1g"],
  },
  "mem-set": {
    text: [
      "Writes a target to xenstore, which the guest's balloon driver comes to by itself, up to maxmem. Exit code 1 for a running guest that does not use xenstore.",
    ],
    examples: ["xl mem-set debian 192"],
  },
  "button-press": { text: ["The old name of xl trigger, for power and sleep."], examples: ["xl button-press debian power"] },
  "vcpu-list": {
    text: [
      "A line a vCPU: the pCPU it is on, its state (r runs, b waits, p is offline or paused), its CPU time in seconds, and where it may run, hard and soft.",
      JSON_NAMES,
    ],
    examples: ["xl vcpu-list debian"],
  },
  "vcpu-pin": {
    text: [
      "Sets on which pCPUs a vCPU may run, and on which it would rather. Lists are as in xl.cfg's cpus: 0-3,^1 or all; - leaves one as it is. A domain is on one pCPU with all its vCPUs here, so the affinities of a domain count together.",
    ],
    examples: ["xl vcpu-pin debian all 1", "xl vcpu-pin debian 0 all 1  # anywhere, preferably on 1"],
  },
  "vcpu-set": {
    text: [
      "Writes to xenstore which vCPUs the guest is to use; it takes them away by itself. On Arm, Linux lets a vCPU come back without starting it: echo 1 into its online file does that. -i allows more than the host has pCPUs.",
    ],
    examples: ["xl vcpu-set debian 1"],
  },
  "vm-list": { text: ["UUID, id and name of each guest."], examples: ["xl vm-list"] },
  info: {
    text: ["The host, its memory and pCPUs, and Xen's version. A key prints that value alone.", "With --json each line is a member, with its text."],
    examples: ["xl info", "xl info free_memory"],
  },
  "sched-credit2": {
    text: [
      "A guest with twice the weight gets twice the time where guests compete; 256 is the usual weight. A cap is the most it gets, in percent of a pCPU, also where nobody else wants the time. The rate limit is how long a vCPU runs before another may take its place.",
    ],
    examples: ["xl sched-credit2", "xl sched-credit2 -d debian -w 512", "xl sched-credit2 -d debian -c 25", "xl sched-credit2 -s -r 1000"],
  },
  domid: { text: ["The id of a domain by its name; exit code 1 where there is none."], examples: ["xl domid debian"] },
  domname: { text: ["The name of a domain by its id; exit code 1 where there is none."], examples: ["xl domname 1"] },
  rename: { text: ["Gives a domain another name, which no other domain may have."], examples: ["xl rename debian trixie"] },
  trigger: { text: ["Xen on Arm has no triggers: the command is known, says so, and exits with 0 as Xen's does."], examples: ["xl trigger debian nmi"] },
  sysrq: {
    text: ["Writes a letter to control/sysrq; Linux does what Alt-SysRq and that letter do. Exit code 0 whatever comes of it."],
    examples: ["xl sysrq debian h"],
  },
  "debug-keys": {
    text: [
      "Has Xen write something to its message buffer, which xl dmesg prints. h lists the keys; p prints the performance counters, P sets them to zero, q the domains, r the scheduler's queues, J what the compiler did.",
    ],
    examples: ["xl debug-keys p"],
  },
  "set-parameters": {
    text: [
      "Changes parameters of Xen's command line while it runs, as name=value, several with spaces between them in one argument. loglvl and guest_loglvl say which messages come into the buffer that xl dmesg prints, Xen's own and those that guests bring about: none, error, warning, info, debug or all; with two of them, as in error/all, what is above the first one comes at a limited rate. console_timestamps is none, date, datems, boot or raw.",
    ],
    examples: ["xl set-parameters loglvl=error", 'xl set-parameters "guest_loglvl=error/all console_timestamps=date"'],
  },
  regions: {
    text: [
      "Guest code that was compiled to WebAssembly, by guest physical address of its entry; with an address, that region in full for a bug report: its instructions, and the WebAssembly as text. Not in Xen.",
    ],
    examples: ["xl regions debian", "xl regions debian 0x40210000"],
  },
  dmesg: {
    text: [
      "The hypervisor's own messages: its start, what guests asked for and did not get, suspends, crashes, answers to xl debug-keys. The buffer keeps the last 64 KiB.",
    ],
    examples: ["xl dmesg", "xl dmesg -c"],
  },
  top: {
    text: [
      "All domains with CPU time and share, memory and state, in the columns of xentop. -b prints one screen after the other, and --json an array of objects for each.",
      "Keys on a terminal: s sorts by the next column, v shows vCPUs, p the pCPUs, r the titles above each domain, d asks for another delay, arrows scroll, q leaves.",
      "The time of domain 0 is that of the host's process, with the guests in it.",
    ],
    examples: ["xl top", "xl top -b -i 1"],
  },
  uptime: {
    text: ["How long domains have been there, counted from when they were built.", "With --json uptime is in seconds."],
    examples: ["xl uptime", "xl uptime -s debian"],
  },
  claims: { text: ["As xl list, with the memory that a domain has claimed and not yet got."], examples: ["xl claims"] },
  "cpupool-create": {
    text: [
      "Makes a CPU pool: pCPUs with a scheduler of their own, for the domains that are put there by xl cpupool-migrate or pool= in their config. Its CPUs must be free, as xl cpupool-cpu-remove Pool-0 1 makes one.",
      "A config file has lines of the form key=value, and so have the words behind it, which win: name, without which the pool is called as its file; cpus, a list of numbers or a text as in xl.cfg; nodes, a list of NUMA nodes, of which there is node 0; sched, which is credit2.",
    ],
    examples: ["xl cpupool-create name='\"quiet\"' cpus='[\"1\"]'", "xl cpupool-create -n pool.cfg  # only print what it would be"],
  },
  "cpupool-list": {
    text: ["CPU pools with the number of their pCPUs and domains; -c lists the pCPUs."],
    examples: ["xl cpupool-list", "xl cpupool-list -c Pool-0"],
  },
  "cpupool-destroy": {
    text: ["Ends a pool without domains. Its pCPUs are free then, and run nothing until a pool gets them."],
    examples: ["xl cpupool-destroy quiet"],
  },
  "cpupool-rename": { text: ["Gives a pool another name."], examples: ["xl cpupool-rename quiet loud"] },
  "cpupool-cpu-add": {
    text: ["Gives free pCPUs to a pool, as a list like xl.cfg's cpus. Exit code 0 also where some could not be added, which is told."],
    examples: ["xl cpupool-cpu-add quiet 2-3", "xl cpupool-cpu-add Pool-0 all  # whatever is free"],
  },
  "cpupool-cpu-remove": {
    text: [
      "Takes pCPUs out of a pool; what ran there goes on on the others of the pool. Pool-0 keeps pCPU 0, and a pool with domains its last one. A vCPU that was pinned there alone may run anywhere in the pool afterwards.",
      "Exit code 0 also where some could not be removed, which is told.",
    ],
    examples: ["xl cpupool-cpu-remove Pool-0 2-3"],
  },
  "cpupool-migrate": {
    text: ["Moves a domain, running or not, into another pool. Its weight, cap and affinities are those of a new domain then. Domain-0 stays in Pool-0."],
    examples: ["xl cpupool-migrate debian quiet"],
  },
  "cpupool-numa-split": {
    text: [
      "One pool for each NUMA node. The host is one node, so that Pool-0 gets all free pCPUs and the name Pool-node0. Refused where there are other pools.",
    ],
    examples: ["xl cpupool-numa-split"],
  },
  "xenstore-quota-get": {
    text: ["What a domain may have in xenstore: nodes, watches, transactions, sizes. 0 is no limit. -g asks for what new domains get."],
    examples: ["xl xenstore-quota-get -g"],
  },
  "xenstore-quota-set": { text: ["Sets one or more of them."], examples: ["xl xenstore-quota-set debian nodes=2000"] },
  "host-stop": {
    text: [
      "Asks the guests that use xenstore to power off, waits for those at most 10 seconds, gives consoles the last output, and ends the host process. -f does not wait. Not in Xen, where the host is a machine.",
    ],
    examples: ["xl host-stop"],
  },
};
