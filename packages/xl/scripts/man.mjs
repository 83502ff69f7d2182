// Writes the manual page xl(1), behind the build.
import { readFileSync, writeFileSync } from "node:fs";
import { manPage } from "../dist/xl_man.js";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
writeFileSync(new URL("../dist/xl.1", import.meta.url), manPage(version));
