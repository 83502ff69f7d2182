import { linuxTest } from "./linux.js";

linuxTest({ flavour: "cloud", gic: "v3", vcpus: 2, isCompiled: false });
