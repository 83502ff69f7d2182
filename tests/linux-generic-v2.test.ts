import { linuxTests } from "./linux.js";

linuxTests("generic", "v2");
