/* What happened in a run, in the order in which it was known: one object for each thing done, with its begin and end on one clock
 * (ms), and whatever was answered. The checker reads it; when a run fails it is kept as a file of one JSON object a line. */
import fs from 'node:fs';
import path from 'node:path';
import { buildFolder } from '../../lib/instance.js';

export class History {
    constructor(name, seed) {
        Object.assign(this, { name, seed, entries: [] });
    }

    /* Adds {who, op, began, ended, …} and gives it back. */
    add(entry) {
        this.entries.push(entry);
        return entry;
    }

    of(op) {
        return this.entries.filter((one) => one.op === op);
    }

    /* Writes it down and gives the file's name. */
    keep() {
        const folder = path.join(buildFolder, 'test/fault');
        fs.mkdirSync(folder, { recursive: true });
        const file = path.join(folder, `${this.name}-${this.seed}.jsonl`);
        fs.writeFileSync(file, this.entries.map((one) => `${JSON.stringify(one)}\n`).join(''));
        return file;
    }
}
