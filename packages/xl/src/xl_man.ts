import { CMDTABLE } from "./xl_cmdtable.js";
import type { Command } from "./xl_context.js";
import { optionOf, usageOf } from "./xl_help.js";
import { MANUAL } from "./xl_manual.js";

const GLOBAL_OPTIONS: readonly (readonly [string, string])[] = [
  ["-v", "One more level of libxl's log on standard error; may be repeated."],
  ["-N", "A dry run: says what would be done. For create and vcpu-pin."],
  ["-f", "Accepted, as in Xen's xl."],
  ["-t", "Ends progress lines with a carriage return."],
  ["-T", "Log lines carry the date and the process id."],
];

const ENVIRONMENT: readonly (readonly [string, string])[] = [
  [
    "XEN_HOST_DIR",
    "Where the host and the monitor keep their sockets, state and logs. By default xen-host in $XDG_RUNTIME_DIR, or a private directory under the system's temporary one.",
  ],
  ["XEN_PCPUS", "Number of pCPUs of a host that is started, 1 to 64; one for each core if it is not set."],
  ["XEN_HOST_CACHE", 'Where a host keeps compiled guest code for the next one, xen-host in $XDG_CACHE_HOME or ~/.cache by default; "off" keeps none.'],
  ["XEN_HOST_LOG", "Level of the host's log: error, warn, info or debug."],
  ["XEN_HOST_METRICS", "Where a host serves Prometheus besides metrics.sock: a port, host:port or path."],
  ["XEN_HOST_BIN", "Another host to start."],
  ["XL_CONF", "Another xl.conf."],
];

const FILES: readonly (readonly [string, string])[] = [
  ["host.sock, xenstored.sock, metrics.sock", "The host's sockets, mode 0600, in XEN_HOST_DIR."],
  ["host.log, xl-monitor.log, xl-NAME.log", "What the host, the monitor, and the monitor about one domain have to say."],
  ["$XDG_CONFIG_HOME/xen/xl.conf, /etc/xen/xl.conf", "Settings for all domains; the first that exists."],
];

const EXIT_STATUS: readonly (readonly [string, string])[] = [
  ["0", "It worked. pause, unpause, resume, trigger and sysrq also exit with 0 where the hypervisor or the guest does not do it, as Xen's do, and say so."],
  ["1", "It failed; standard error says why."],
  ["2", "The command line is wrong."],
  ["3 and more", "Of create: libxl's error number without its sign."],
];

const COMPAT = "The subcommands, options, columns and exit codes are those of Xen's xl. Commands that have no meaning here say so in one line and exit with 1.";

/** The manual page xl(1), in man(7)'s macros: made of the command table and the manual's entries. */
export function manPage(version: string): string {
  const commands = CMDTABLE.filter(({ isHidden }) => isHidden !== true);
  return [
    `.TH XL 1 "" "xl ${escape(version)}" "Xen on Arm"`,
    ".SH NAME",
    "xl \\- control guests of Xen on Arm",
    ".SH SYNOPSIS",
    ".B xl",
    "[\\-vfNtT]",
    ".I subcommand",
    "[arguments]",
    ".SH DESCRIPTION",
    escape(
      "xl builds, watches and controls domains of a host process of the user's own, which the first command starts. A domain is named by its name or its id.",
    ),
    ".PP",
    escape(COMPAT),
    escape("A subcommand may be cut short as long as one alone begins like that. xl help COMMAND prints what is here about one."),
    ".SH GLOBAL OPTIONS",
    ...GLOBAL_OPTIONS.flatMap(tagged),
    ".SH SUBCOMMANDS",
    ...commands.flatMap(section),
    ".SH ENVIRONMENT",
    ...ENVIRONMENT.flatMap(tagged),
    ".SH FILES",
    ...FILES.flatMap(tagged),
    ".SH EXIT STATUS",
    ...EXIT_STATUS.flatMap(tagged),
    ".SH SEE ALSO",
    escape("xenperf and the xenstore-* commands, each with -h; docs/ in the repository, with pages on xl.cfg, xl.conf and each feature."),
    "",
  ].join("\n");
}

function section(command: Command): string[] {
  const { text = [], examples = [] } = MANUAL[command.name] ?? {};
  return [
    `.SS ${command.name}`,
    ".nf",
    bold(usageOf(command)),
    ".fi",
    ".PP",
    escape(`${command.summary}.`),
    ...text.flatMap((paragraph) => [".PP", escape(paragraph)]),
    ...command.options.flatMap((option) => tagged([optionOf(option), option.help])),
    ...(examples.length > 0 ? [".PP", "Examples:", ".PP", ".nf", ".RS", ...examples.map(escape), ".RE", ".fi"] : []),
  ];
}

function tagged([tag, text]: readonly [string, string]): string[] {
  return [".TP", bold(tag), escape(text)];
}

function bold(text: string): string {
  return `\\fB${escape(text)}\\fR`;
}

/** Text that roff prints as it is: backslashes and hyphens are spelt out, and a line does not begin with a control character. */
function escape(text: string): string {
  const plain = text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti")
    .replaceAll("`", "\\(ga");
  return plain.startsWith(".") ? `\\&${plain}` : plain;
}
