/* What of these tests is written in C: compiled when it is needed, into build/fault. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { buildFolder, tree } from '../../lib/instance.js';

const sources = path.join(tree, 'tests/fault'), made = path.join(buildFolder, 'fault');
const compile = (args) => execFileSync('cc', ['-O2', '-g', '-std=gnu11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Wshadow', '-Werror',
    ...args], { cwd: sources, stdio: ['ignore', 'inherit', 'inherit'] });
const flagsOf = (how) => execFileSync('pkg-config', [how, 'libxml-2.0', 'sqlite3', 'libcurl', 'libcrypto'], { encoding: 'utf8' })
    .trim().split(/\s+/);

/* A name of its own until it is whole: several tests build at once. */
function build(name, args) {
    const file = path.join(made, name), own = `${file}.${process.pid}`;
    fs.mkdirSync(made, { recursive: true });
    compile([...args, '-o', own]);
    fs.renameSync(own, file);
    return file;
}

/* For LD_PRELOAD: disk, clock. */
export const buildPreload = (name) => build(`${name}.so`, ['-fPIC', '-shared', `${name}.c`]);
export const buildPower = () => build('power', ['-I', path.join(tree, 'lib'), '-I', buildFolder, ...flagsOf('--cflags'), 'power.c',
    'replay.c', path.join(buildFolder, 'librtcc.a'), '-lfcgi', ...flagsOf('--libs'), '-lcrypt']);
