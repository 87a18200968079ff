// Validates AsyncAPI documents with AsyncAPI's own parser: node validate_asyncapi.mjs FOLDER-WITH-NODE_MODULES DOCUMENT...
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [folder, ...documents] = process.argv.slice(2);
const { Parser } = createRequire(resolve(folder, "package.json"))("@asyncapi/parser");

let wrong = documents.length === 0;
for (const path of documents) {
  const { document, diagnostics } = await new Parser().parse(readFileSync(path, "utf-8"), { source: resolve(path) });
  for (const { severity, code, path: place, message } of diagnostics) {
    const kind = ["error", "warning", "information", "hint"][severity];
    console.log(`${kind} ${code} ${place.join("/")}: ${message}`);
    wrong ||= severity <= 1;
  }
  wrong ||= document === undefined;
  if (document) {
    const counts = [document.allChannels().length, document.allOperations().length, document.allMessages().length];
    console.log(`channels ${counts[0]}, operations ${counts[1]}, messages ${counts[2]}`);
  }
}
process.exit(wrong ? 1 : 0);
