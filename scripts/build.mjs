// `npm run build`: installs what a fresh clone needs, and builds all packages.
import { bootstrap } from "./bootstrap.mjs";

bootstrap();
