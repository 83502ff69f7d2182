// `npm start`: a stock arm64 Linux suspends itself, and `xl resume` brings it back, before the user's eyes.
import { bootstrap, node } from "./bootstrap.mjs";

bootstrap();
node("demo/dist/index.js", ...process.argv.slice(2));
