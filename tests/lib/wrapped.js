/* The programs with another one in front of each (strace, valgrind), to be given to startInstance() as `build`. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildFolder } from './instance.js';

const script = (file, line) => fs.writeFileSync(file, `#!/bin/sh\n${line}\n`, { mode: 0o755 });

/* {build, env, logs, clear()}. `command(log)` is the line in front, `log` what its files shall begin with. Every program runs
 * once: env has a multiwatch that starts one process of each, and one that is traced takes its time to start. */
export function wrap(command) {
    const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-')));
    const logs = path.join(folder, 'logs'), bin = path.join(folder, 'bin');
    for (const name of ['cgi-bin', 'sbin', 'logs', 'bin']) fs.mkdirSync(path.join(folder, name));
    for (const kind of ['cgi-bin', 'sbin']) {
        for (const name of fs.readdirSync(path.join(buildFolder, kind)).filter((one) => !one.includes('.'))) {
            script(path.join(folder, kind, name), `exec ${command(path.join(logs, name))} '${path.join(buildFolder, kind, name)}' "$@"`);
        }
    }
    const words = '[ "$1" = -f ] && shift 2';
    script(path.join(bin, 'multiwatch'), `${words}\nPATH=\${PATH#*:} exec multiwatch -f 1 "$@"`);
    return { build: folder, logs, env: { PATH: `${bin}:${process.env.PATH}` },
        clear: () => fs.rmSync(folder, { recursive: true, force: true }) };
}

/* [{name, pid, text}] of what was written so far. */
export const logsOf = ({ logs }) => fs.readdirSync(logs).map((file) => {
    const [, name, pid] = /^(\w+)\.(\d+)$/.exec(file);
    return { name, pid: Number(pid), text: fs.readFileSync(path.join(logs, file), 'utf8') };
});
