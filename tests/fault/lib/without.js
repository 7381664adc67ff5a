/* The switch of the kill test: FAULT_WITHOUT=reqid, epoch or lease takes one mechanism out, to show that the test notices. Nothing in the
 * product knows of it: the reqid is taken out of the calls by a server between; epoch and lease by building two programs from a copy
 * of the tree in which the statement that decides who has won does not look at them, and at all else as before. */
import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { buildFolder, tree } from '../../lib/instance.js';
import { startBetween } from './between.js';

/* What stands instead where it is decided who has won; what stands there is there once, so that this cannot go stale unnoticed. epoch: an
 * old offer wins as long as another is open; lease: any offer wins at any time. */
const deciding = 'accepted_at = $at\nWHERE site = $site AND id = $id AND ', decided = "epoch = $epoch AND state = 'offered';";
const instead = { epoch: "$epoch = $epoch AND state = 'offered';", lease: '$epoch = $epoch;' };
const theirPrograms = ['cgi-bin/agent_act', 'cgi-bin/vcs_call'];

function edit(folder, [file, before, after]) {
    const name = path.join(folder, file), text = fs.readFileSync(name, 'utf8');
    if (text.split(before).length !== 2) throw new Error(`${file} has not once: ${before}`);
    fs.writeFileSync(name, text.replace(before, () => after));
}

/* A copy of the build with the programs that were built from the edited tree: its folder. The statements' types are as before, so
 * all that comes of the edited file gets its old time back, and only what is not there is compiled. Other runs go on meanwhile in
 * this process: a connection that it has opened and sends nothing on for five seconds is closed by nginx. */
export async function buildWithout(mechanism) {
    const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-without-'))), build = path.join(folder, 'build');
    for (const name of ['Makefile', 'lib', 'sql', 'cgi-bin', 'sbin']) execFileSync('cp', ['-a', path.join(tree, name), folder]);
    fs.mkdirSync(build);
    for (const name of ['lib', 'sql-gen', 'sql.c', 'sql.h', 'libfcgi-is-mended', 'cgi-bin', 'sbin'])
        execFileSync('cp', ['-a', path.join(buildFolder, name), build]);
    const touched = ['sql/invitation.sql', 'build/sql.c', 'build/sql.h'].map((name) => path.join(folder, name));
    const times = touched.map((file) => fs.statSync(file).mtime);
    edit(folder, ['sql/invitation.sql', deciding + decided, deciding + instead[mechanism]]);
    const env = { ...process.env };
    for (const name of ['MAKEFLAGS', 'MFLAGS', 'MAKEOVERRIDES', 'MAKELEVEL']) delete env[name];
    const make = (...names) => promisify(execFile)('make', ['-s', '-j2', `O=${build}`, ...names.map((name) => path.join(build, name))],
        { cwd: folder, env });
    for (const name of theirPrograms) fs.rmSync(path.join(build, name));
    await make('sql.c');
    touched.forEach((file, i) => fs.utimesSync(file, times[i], times[i]));
    await make(...theirPrograms);
    return { folder, build };
}

/* What killRun() needs to run without a mechanism (undefined: with all), and stop() to clear away. */
export async function placeWithout(name) {
    if (name === undefined || name === '') return { place: {}, stop: () => {} };
    if (name === 'reqid') {
        const between = await startBetween(() => 'noReqid');
        return { place: { settings: between.settings, between }, stop: () => between.stop() };
    }
    if (!instead[name]) throw new Error(`FAULT_WITHOUT is reqid, epoch or lease, not '${name}'`);
    const { folder, build } = await buildWithout(name);
    return { place: { build }, stop: () => fs.rmSync(folder, { recursive: true }) };
}
