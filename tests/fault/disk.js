/* An instance whose programs meet a disk of the test's making (disk.c): recorded, full, read-only or broken at will. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startInstance } from '../lib/instance.js';
import { buildPreload } from './lib/build.js';

const WELL = 0, HEAD_BYTES = 1024;
const at = { mode: 16, perMille: 20, syncUs: 24, isRecording: 28, refused: 32, seed: 40, storm: 48, drawn: 64 };
export const modes = { well: WELL, full: 1, readOnly: 2, broken: 3 };

/* The file that disk.h describes. seed: which writes a broken disk breaks off. */
export class Disk {
    constructor({ bytes = 4096, seed = 1 } = {}) {
        this.folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-disk-')));
        this.runDir = path.join(this.folder, 'run');
        this.state = path.join(this.runDir, 'state');
        this.file = path.join(this.folder, 'record');
        this.fd = fs.openSync(this.file, 'w+');
        fs.ftruncateSync(this.fd, bytes);
        const head = Buffer.alloc(HEAD_BYTES);
        head.writeBigUInt64LE(BigInt(HEAD_BYTES), 0);
        head.writeBigUInt64LE(BigInt(bytes), 8);
        head.writeBigUInt64LE(BigInt(seed), at.seed);
        fs.writeSync(this.fd, head);
        this.storms = 0;
        this.env = { LD_PRELOAD: buildPreload('disk'), RTCC_DISK: this.file, RTCC_DISK_FOLDER: this.state };
    }

    set(name, number) {
        const four = Buffer.alloc(4);
        four.writeUInt32LE(number);
        fs.writeSync(this.fd, four, 0, 4, at[name]);
    }

    become(mode, perMille = 0) {
        this.set('perMille', perMille);
        if (mode === 'broken') {
            fs.writeSync(this.fd, Buffer.alloc(HEAD_BYTES - at.drawn), 0, HEAD_BYTES - at.drawn, at.drawn);
            this.set('storm', ++this.storms);
        }
        this.set('mode', modes[mode]);
    }

    /* How often it said no. */
    refused() {
        const eight = Buffer.alloc(8);
        fs.readSync(this.fd, eight, 0, 8, at.refused);
        return Number(eight.readBigUInt64LE());
    }

    start(options = {}) {
        const preloads = [this.env.LD_PRELOAD, options.env?.LD_PRELOAD ?? []].flat().join(':');
        return startInstance({ crowd: true, ...options, runDir: this.runDir, env: { ...options.env, ...this.env, LD_PRELOAD: preloads } });
    }

    clear() {
        fs.closeSync(this.fd);
        if (!process.env.RTCC_KEEP) fs.rmSync(this.folder, { recursive: true, force: true });
    }
}
