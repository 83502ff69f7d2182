import { readFileSync } from "node:fs";

/** Titles and texts of xl.cfg files, some as people write them and many as nobody should. */
export const corpus: readonly (readonly [title: string, text: string])[] = [
  ["an Arm guest as people write it", person()],
  ["comments of every kind", "#\n##\n # c\n\t# d\na=1 # e\n#f=2\nb=2#\nc=3\n"],
  ["a comment as the last line without its end", "a=1\n# foo"],
  ["a lone hash at the end", "a=1\n#"],
  ["carriage returns", "a=1\r\nb=[1,\r\n2]\r\n"],
  ["carriage return inside a string and alone", 'a="x\ry"\nb=\r\n\r'],
  ["old line ends of a Macintosh", "a=1\rb=2\r"],
  ["no line end at the end", 'a="x"'],
  ["no line end behind a list", "a=[1]"],
  ["only blanks", " \t  "],
  ["only line ends", "\n\n\n"],
  ["a semicolon at the end", "a=1;"],
  ["semicolons alone", ";;;\n;"],
  ["semicolons without white space", "a=1;b=2;c=3"],
  ["semicolon in a list", "a=[1;2]\n"],
  ["an empty list", "a=[]\n"],
  ["an empty list over lines", "a=[\n\n\n]\n"],
  ["lists in lists", "a=[[],[[]],[[1],[[2]]],'x',[3,]]\n"],
  ["a trailing comma", "a=[1,]\nb=['x',\n]\nc=[[],]\n"],
  ["two trailing commas", "a=[1,,]\n"],
  ["a comma at once", "a=[,1]\n"],
  ["a comma on a line of its own", "a=[1\n,\n2]\n"],
  ["line ends between all tokens of a list", "a=[\n1\n,\n[\n2\n]\n,\n]\n"],
  ["a line end behind the equals sign", "a=\n1\n"],
  ["a line end before the equals sign", "a\n=1\n"],
  ["a list that never ends", "a=[[1,[2,\n"],
  ["a list that is closed twice", "a=[1]]\nb=2\n"],
  ["an error in a list in a list", "a=[[1 2],3]\nb=4\n"],
  ["an error behind lines in a list", "a=[\n1,\n2,\n=\n]\nb=]\n"],
  ["hexadecimal numbers", "a=0x10\nb=0xdeadbeef\nc=0xffffffffffffffff\nd=0x7fffffffffffffff\ne=0x\nf=0xx1\n"],
  ["upper-case hexadecimal numbers", 'a=0X10\nb="0X1f"\nc="0xAb"\n'],
  ["octal numbers", "a=0755\nb=00\nc=08\nd=0777777777777777777777\ne=01777777777777777777777\n"],
  ["the largest and smallest numbers", 'a=9223372036854775807\nb=9223372036854775808\nc="-9223372036854775808"\nd="-9223372036854775809"\n'],
  ["numbers beyond 2^53", "a=9007199254740991\nb=0x1fffffffffffff\n"],
  ["overflow with a tail", 'a="99999999999999999999x"\nb=99999999999999999999a\n'],
  ["digits with letters", "a=12a\nb=1x\nc=0abc\nd=9f\n"],
  ["digits with other letters", "a=12g\nb=1h2\n"],
  ["numbers in quotes", "a=' 7'\nb='\\t7'\nc='7 '\nd='+7'\ne='- 7'\nf='--7'\ng=''\nh=' '\ni='-0x10'\nj='-010'\n"],
  ["numbers with white space in front in quotes", "a='\\n7'\nb='\\v7'\nc='\\f7'\nd='\\r7'\ne='\\n'\n"],
  ["fractions", "a=1.5\n"],
  ["signs", "a=-1\nb=+1\n"],
  ["plus-equals of each kind", "a='x'\na+='y'\nb=[1]\nb+=[2,[3]]\nc+=[1]\nd+='z'\ne=1\ne+=2\n"],
  ["plus-equals of two kinds", "a='x'\na+=[1]\n"],
  ["plus-equals of the other two kinds", "a=[1]\na+='x'\nb=1\n"],
  ["plus-equals, then equals", "a='1'\na+='2'\na=3\n"],
  ["plus-equals with a space", "a + = 1\n"],
  ["plus at the end", "a+"],
  ["quotes in quotes", `a="'"\nb='"'\nc="\\""\nd='\\''\ne='\\"'\nf="\\'"\n`],
  ["empty strings", `a=""\nb=''\nc=["",'']\n`],
  ["strings beside each other", `a="x""y"\n`],
  ["a string that does not end", 'a="x\nb=1\n'],
  ["a string that does not end in the file", 'a="x'],
  ["a string with a backslash before its end", 'a="x\\"\nb=1\n'],
  ["a string with two backslashes before its end", 'a="x\\\\"\nb=1\n'],
  ["a string over two lines with a backslash", 'a="x\\\ny"\n'],
  ["each escape", 'a="\\\\|\\"|\\\'|\\a|\\b|\\f|\\n|\\r|\\t|\\v"\n'],
  ["octal escapes", 'a="\\101"\nb="\\060\\061"\nc="x\\7"\n'],
  ["octal escapes of two digits", 'a="\\12x"\n'],
  ["octal escapes with an eight", 'a="\\188"\nb="\\819"\n'],
  ["octal escapes beyond a byte", 'a="\\777"\n'],
  ["an escape that yields NUL", 'a="x\\000y"\n'],
  ["hexadecimal escapes", 'a="\\x41"\n'],
  ["hexadecimal escape cut short", 'a="\\x4"\n'],
  ["unknown escapes", 'a="\\d"\nb=1\nc="\\ "\n'],
  ["an escaped letter that is not ASCII", 'a="\\é"\n'],
  ["a tab in a string", 'a="x\ty"\n'],
  ["control characters in a string", 'a="\u0001\u0007\u007f"\n'],
  ["NUL in a comment", "a=1 # x\0y\nb=2\n"],
  ["NUL among tokens", "a=\x001\nb=2\n"],
  ["NUL in a name", "a\0b=2\n"],
  ["only NUL", "\0"],
  ["NUL at the end", "a=1\n\0"],
  ["NUL in a bad word", "a=!x\0y\n"],
  ["letters that are not ASCII in strings", 'a="é"\nb="日本語"\nc=["🐼"]\n'],
  ["letters that are not ASCII elsewhere", "a=é\n日=1\n"],
  ["one such letter at the end", "a=1é"],
  ["one such letter on a line of its own", "é\na=1\n"],
  ["one such letter before a blank", "é b\na=1\n"],
  ["no-break space", "a\u00a0=\u00a01\n"],
  ["a byte order mark", "\ufeffa=1\n"],
  ["line separator and next line", "a=1\u2028b=2\u0085c=3\n"],
  ["form feed and vertical tab", "a=1\fb=2\v\n"],
  ["upper-case names", "A=1\nNAME='x'\nname='x'\n"],
  ["names with digits, dots and underscores", "a.b.c=1\na_=2\nx86=3\na..=4\n"],
  ["names that begin wrongly", "_a=1\n"],
  ["a name that begins with a dot", ".a=1\n"],
  ["a name that begins with a digit", "2a=1\n0xa=1\n"],
  ["dashes in names", "on-crash='destroy'\nb=1\n"],
  ["words as values", "a=foo\nb=True\nc=None\n"],
  ["a word in a list", "a=['x', y]\n"],
  ["statements on one line", "a=1 b=2\nc=3\n"],
  ["two equals signs", "a==1\n"],
  ["comparison", "a=1==2\nb=3\n"],
  ["calls as in Python", "a=int(5)\nimport os\nb='%s' % a\n"],
  ["tuples as in Python", "a=('x','y')\n"],
  ["dictionaries as in Python", "a={'x':1}\n"],
  ["shell", "export a=1\nb=$c\n"],
  ["JSON", '{\n  "name": "x",\n  "memory": 32\n}\n'],
  ["a backslash at a line's end", "a=1 \\\n+2\n"],
  ["errors on each of many lines", "a\nb\nc\nd=\ne=1\nf=]\ng g\n"],
  ["errors with two good tokens between", "=\na\n=\n"],
  ["errors with a good statement between", "=\na=1\n=\n"],
  ["a lexical error behind a grammar error", "a b!\nc!d\n"],
  ["a grammar error behind a lexical error", "!a b\nc d\n"],
  ["one bad character a line", "!\n?\n@\nb=1\n"],
  ["one bad character with blanks", "! ? @\t%\nb=1\n"],
  ["bad characters at each place", "!a=1\nb!=1\nc=!1\nd=1!\n"],
  ["a bad escape, then a grammar error on the line", 'a="\\q" b\nc=\n'],
  ["a bad escape in a list over lines", 'a=[1,\n"\\q",\n"\\q"]\n'],
  ["the same name many times", "a=1\na='x'\na=[1]\na=2\n"],
  ["a long name and a long string", `${"n".repeat(5000)}="${"s".repeat(20_000)}"\n`],
  ["a long bad word", `a=${"!".repeat(20_000)}\n`],
  ["lists deep in lists", `a=${"[".repeat(500)}${"]".repeat(500)}\n`],
  ["very many lines", Array.from({ length: 3000 }, (_, i) => `k${i % 100}=${i}\n`).join("")],
  ...recorded(),
];

/** The texts of libxl's own recorded test. */
function recorded(): [string, string][] {
  const { cases } = JSON.parse(readFileSync(new URL("../../packages/libxl/src/fixtures/xlu_cfg.json", import.meta.url), "utf8")) as {
    readonly cases: readonly { readonly name: string; readonly text: string }[];
  };
  return cases.map(({ name, text }) => [`recorded: ${name}`, text]);
}

function person(): string {
  return `# Debian under test
name = "debian"            # shown by xl list
uuid = '5f2c6b8e-1d4a-4f7e-9f0c-2b7d7a1c3e55'
kernel = "/boot/vmlinuz"
ramdisk = "/boot/initrd.img"
extra = 'console=hvc0 root=/dev/xvda ro "quiet"'
memory = 512; maxmem = 0x400
vcpus = 2
cpus = ["0", "1-3,^2"]
gic_version = "v3"
vuart = "sbsa_uart"
on_crash = 'preserve'
disk = [
    'format=raw, vdev=xvda, access=rw, target=/srv/disk one.img',
    "phy:/dev/vg/swap,xvdb,w",  # swap
]
vif = [ 'mac=00:16:3e:00:00:01,bridge=xenbr0', '' ]
iomem = [ "0x49d00,1@0x1000" ]
irqs = [ 140, 141 ]
`;
}
