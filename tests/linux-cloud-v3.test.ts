import { linuxTests } from "./linux.js";

linuxTests("cloud", "v3");
