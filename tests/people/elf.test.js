/* The executables as files: every flag of hardening that the Makefile asks for is in them, and nothing by which a program could
 * start another one. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { buildFolder, tree } from '../lib/instance.js';
import { programNames } from '../lib/table.js';

const files = [...programNames.map((name) => path.join(buildFolder, 'cgi-bin', name)), path.join(buildFolder, 'sbin/rtcc')];
const read = (file, ...what) => execFileSync('readelf', ['-W', ...what, file], { encoding: 'utf8', maxBuffer: 1 << 27,
    stdio: ['ignore', 'pipe', 'ignore'] });
const everyFile = (name, look) => test(name, () => files.forEach((file) => look(file, path.basename(file))));

everyFile('loaded at a place that nobody can foretell, bound at once, then read-only', (file, name) => {
    assert.match(read(file, '-h'), /Type:\s+DYN/, `${name}: PIE`);
    assert.match(read(file, '-d'), /FLAGS_1.*NOW.*PIE/, `${name}: NOW and PIE`);
    assert.match(read(file, '-d'), /\(FLAGS\).*BIND_NOW/, name);
    assert.match(read(file, '-l'), /GNU_RELRO/, `${name}: RELRO`);
});

everyFile('no memory that can be written is executed', (file, name) => {
    const segments = read(file, '-l');
    assert.match(segments, /GNU_STACK.* RW +0x/, `${name}: the stack`);
    for (const line of segments.split('\n').filter((one) => /^ +LOAD/.test(one))) assert.doesNotMatch(line, /RWE/, name);
    assert.doesNotMatch(read(file, '-d'), /TEXTREL/, name);
});

everyFile('libraries come from where the system has them', (file, name) => {
    assert.doesNotMatch(read(file, '-d'), /RPATH|RUNPATH/, name);
});

everyFile('only who calls other servers carries the libraries for it', (file, name) => {
    const calls = ['form_submit', 'status', 'rtcc'].includes(name);
    for (const library of ['libxml2', 'libcurl']) assert.equal(read(file, '-d').includes(`[${library}.so`), calls, `${name}: ${library}`);
});

everyFile('every file of C was compiled with every flag', (file, name) => {
    const producers = [...read(file, '--debug-dump=info').matchAll(/DW_AT_producer.*?: (GNU C11 .*)/g)].map(([, one]) => one);
    assert.ok(producers.length > 5, `${name}: ${producers.length} files of C`);
    for (const flag of ['-O2', '-fstack-protector-strong', '-fstack-clash-protection', '-fcf-protection=full', '-fPIE',
        '-ftrivial-auto-var-init=zero', '-fno-strict-overflow', '-fno-delete-null-pointer-checks'])
        for (const one of producers) assert.ok(` ${one} `.includes(` ${flag} `), `${name}: ${flag} is missing in ${one}`);
});

/* At which level copies are counted is not written into the files: it is a macro. Nor are warnings. */
test('every file of C is compiled with copies counted at the highest level, and formats looked at', () => {
    const commands = execFileSync('make', ['-nB', 'V=1', 'all'], { cwd: tree, encoding: 'utf8', env: { ...process.env, MAKEFLAGS: '' } })
        .split('\n').filter((line) => / -Ilib /.test(line));
    assert.ok(commands.length >= files.length, `${commands.length} commands`);
    for (const one of commands) assert.match(one, / -D_FORTIFY_SOURCE=3 .* -O2 .* -Wformat=2 -Werror /);
});

everyFile('the stack has its guards, and copies are counted', (file, name) => {
    const symbols = read(file, '--dyn-syms');
    assert.match(symbols, /__stack_chk_fail@/, `${name}: stack protector`);
    const checked = new Set([...symbols.matchAll(/ __(\w+)_chk@/g)].map(([, one]) => one));
    assert.ok(checked.size >= 4, `${name}: FORTIFY_SOURCE: ${[...checked]}`);
    for (const one of ['vsnprintf', 'snprintf', 'memcpy']) assert.ok(checked.has(one), `${name}: ${one}`);
    for (const one of ['strcpy', 'strcat', 'sprintf', 'vsprintf', 'gets']) assert.doesNotMatch(symbols, new RegExp(` ${one}@`), name);
});

everyFile('nothing by which a program is started is called, nor a library loaded by name', (file, name) => {
    const calls = /UND ((?:f?exec[lv]\w*|execveat|system|popen|posix_spawnp?|wordexp|dlopen|dlmopen))@/.exec(read(file, '--dyn-syms'));
    assert.equal(calls, null, `${name}: ${calls?.[1]}`);
});
