/* A folder with programs that are replaced by others while they run, as a package's upgrade does. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildFolder } from '../../lib/instance.js';

const MARK = 'the programs of upgrade ', MARK_BYTES = 64; // behind everything that is loaded

class Programs {
    constructor() {
        this.folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-build-')));
        this.upgrade = 0;
        for (const name of ['cgi-bin', 'sbin']) execFileSync('cp', ['-a', path.join(buildFolder, name), this.folder]);
        this.names = fs.readdirSync(path.join(this.folder, 'cgi-bin')).filter((name) => !name.includes('.'));
        this.files = ['sbin/rtcc', ...this.names.map((name) => `cgi-bin/${name}`)];
    }

    /* Puts programs that are others into their places: the last bytes of each say by which upgrade it came. */
    async replace() {
        const mark = `${MARK}${++this.upgrade}`.padEnd(MARK_BYTES);
        for (const file of this.files) {
            const place = path.join(this.folder, file);
            await fs.promises.copyFile(path.join(buildFolder, file), `${place}.new`);
            await fs.promises.appendFile(`${place}.new`, mark);
            await fs.promises.rename(`${place}.new`, place);
        }
    }

    remove() {
        fs.rmSync(this.folder, { recursive: true });
    }
}

export const ownPrograms = () => new Programs();

/* By which upgrade the program came that a process runs: 0 for none, undefined when it has ended. The file is read through the
 * process: its name may belong to another one by now. */
export function upgradeOf({ pid }) {
    let file;
    try {
        file = fs.openSync(`/proc/${pid}/exe`);
        const bytes = Buffer.alloc(MARK_BYTES);
        fs.readSync(file, bytes, 0, MARK_BYTES, fs.fstatSync(file).size - MARK_BYTES);
        const text = bytes.toString('latin1');
        return text.startsWith(MARK) ? Number(text.slice(MARK.length)) : 0;
    } catch {
        return undefined;
    } finally {
        if (file !== undefined) fs.closeSync(file);
    }
}

const ESTABLISHED = '01';

/* Which of these processes has the end with this port of a connection to us. */
export function processAt(processes, port) {
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    const inode = new RegExp(`:${hex} \\S+ ${ESTABLISHED} \\S+ \\S+ \\S+ +\\d+ +\\d+ (\\d+) `); // behind state, queues, timers, user
    const socket = `socket:[${inode.exec(fs.readFileSync('/proc/net/tcp', 'latin1'))?.[1]}]`;
    return processes.find(({ pid }) => {
        try {
            return fs.readdirSync(`/proc/${pid}/fd`).some((fd) => fs.readlinkSync(`/proc/${pid}/fd/${fd}`) === socket);
        } catch { return false; } // it has just died
    });
}
