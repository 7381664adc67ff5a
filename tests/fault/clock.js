/* A machine's clocks as the test has them (clock.c), for programs that are started with its `env`. */
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildPreload } from './lib/build.js';

const at = { wall: 0, boot: 8 };

export class Clock {
    constructor() {
        this.folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-clock-')));
        this.fd = fs.openSync(path.join(this.folder, 'ahead'), 'w+');
        this.jump(0);
        this.set('boot', 0);
        this.env = { LD_PRELOAD: buildPreload('clock'), RTCC_CLOCK: this.folder };
    }

    set(name, seconds) {
        fs.writeSync(this.fd, BigInt64Array.of(BigInt(seconds)), 0, 8, at[name]);
    }

    /* The clock on the wall is so far ahead of the real one. */
    jump(seconds) {
        this.set('wall', seconds);
    }

    /* What is started from now on is in a boot of its own, which began so many seconds ago: the boot's id. Whatever ran before has
     * to be dead. */
    boot(seconds) {
        const id = randomUUID();
        fs.writeFileSync(path.join(this.folder, 'boot_id'), `${id}\n`);
        this.set('boot', seconds - Math.floor(os.uptime()));
        return id;
    }

    clear() {
        fs.closeSync(this.fd);
        fs.rmSync(this.folder, { recursive: true });
    }
}
