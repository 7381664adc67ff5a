/* What a trace of a whole test (strace -f, execve and forks) says of the programs of ours in it: that none started another one.
 *
 * As a command: `node tests/lib/traces.js FOLDER PART [FILE...]` looks at every PART_* there, tells how often each program was
 * seen, and ends with 1 where one of them tried to start something, where a program of ours was never seen, or where a file of
 * tests/PART has no trace that is not among the FILEs. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { tree } from './instance.js';
import { programNames } from './table.js';

const ours = new RegExp(`(?:cgi-bin/(${programNames.join('|')})|sbin/(rtcc))$`);

/* One trace: {seen: {program: how often it was started}, started: [what a program of ours, or a child of one, tried to start]}.
 * A line is a call, the beginning of one, or the rest of one; the child of a fork may be heard of before its parent's call is over. */
export function startedIn(text) {
    const programOf = new Map(), tries = new Map(), begun = new Map(), seen = {}, started = [];
    const isTried = (pid, file) => {
        if (programOf.has(pid)) started.push(`${programOf.get(pid)} tried ${file}`);
        tries.set(pid, [...tries.get(pid) ?? [], file]);
    };
    const hasStarted = (pid, file) => {
        const [, program, command] = ours.exec(file) ?? [], name = program ?? command;
        tries.delete(pid);
        if (!name) return;
        programOf.set(pid, name);
        seen[name] = (seen[name] ?? 0) + 1;
    };
    const hasForked = (pid, child) => {
        if (!programOf.has(pid)) return;
        programOf.set(child, `a child of ${programOf.get(pid)}`);
        for (const file of tries.get(child) ?? []) started.push(`${programOf.get(child)} tried ${file}`);
    };
    for (const line of text.split('\n')) {
        const [, pid, rest] = /^(\d+) +(.*)$/.exec(line) ?? [];
        if (!pid) continue;
        const exec = /^exec(?:ve|veat)\((?:[^"]*, )?"([^"]*)"/.exec(rest)?.[1], isDone = / = 0$/.test(rest);
        if (exec !== undefined) {
            isTried(pid, exec);
            begun.set(pid, exec);
            if (isDone) hasStarted(pid, exec);
        } else if (/^<\.\.\. exec/.test(rest) && isDone) hasStarted(pid, begun.get(pid));
        else if (/clone3?\W|v?fork\W/.test(rest)) hasForked(pid, / = (\d+)$/.exec(rest)?.[1]);
        else if (/^\+\+\+ (exited|killed)/.test(rest)) [programOf, tries, begun].forEach((one) => one.delete(pid));
    }
    return { seen, started };
}

/* The files of a part's tests that left no trace. */
const untracedOf = (part, logs) => fs.readdirSync(path.join(tree, 'tests', part)).filter((file) => file.endsWith('.test.js')
    && !logs.some((name) => name.startsWith(`${part}_${file}.`)));

function main(folder, part, excepted) {
    const seen = {}, started = [], logs = fs.readdirSync(folder).filter((name) => name.startsWith(`${part}_`));
    for (const file of logs) {
        const one = startedIn(fs.readFileSync(path.join(folder, file), 'utf8'));
        for (const [name, count] of Object.entries(one.seen)) seen[name] = (seen[name] ?? 0) + count;
        started.push(...one.started.map((what) => `${file}: ${what}`));
    }
    const missing = [...programNames, 'rtcc'].filter((name) => !seen[name]);
    const untraced = untracedOf(part, logs).filter((file) => !excepted.includes(file));
    console.log(`started in ${folder}: ${JSON.stringify(seen)}`);
    if (started.length) console.log(`programs that started others:\n${started.join('\n')}`);
    if (missing.length) console.log(`never seen: ${missing}`);
    if (untraced.length) console.log(`without a trace: ${untraced}`);
    process.exitCode = started.length || missing.length || untraced.length ? 1 : 0;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv[2], process.argv[3], process.argv.slice(4));
