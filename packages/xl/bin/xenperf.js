#!/usr/bin/env node
import { xenperf } from "../dist/index.js";

process.exitCode = await xenperf(process.argv.slice(2));
