/* The switch of the kill test: FAULT_WITHOUT=reqid or epoch takes one mechanism out, to show that the test notices. Nothing in the
 * product knows of it: the reqid is taken out of the calls by a server between; the epoch by building two programs from a copy
 * of the tree in which the statement that decides who has won does not look at it, and at all else as before. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { buildFolder, tree } from '../../lib/instance.js';
import { startBetween } from './between.js';

/* [file, what stands there, what stands there instead]; it is there once, so that this cannot go stale unnoticed. */
const withoutEpoch = ['sql/invitation.sql',
    "accepted_at = $at\nWHERE site = $site AND id = $id AND epoch = $epoch AND state = 'offered';",
    "accepted_at = $at\nWHERE site = $site AND id = $id AND $epoch = $epoch AND state = 'offered';"];
const theirPrograms = ['cgi-bin/agent_act', 'cgi-bin/vcs_call'];

function edit(folder, [file, before, after]) {
    const name = path.join(folder, file), text = fs.readFileSync(name, 'utf8');
    if (text.split(before).length !== 2) throw new Error(`${file} has not once: ${before}`);
    fs.writeFileSync(name, text.replace(before, () => after));
}

/* A copy of the build with the programs that were built from the edited tree: its folder. The statements' types are as before, so
 * sql.h counts as unchanged (-o) and only what was edited is compiled. */
export function buildWithoutEpoch() {
    const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-without-'))), build = path.join(folder, 'build');
    for (const name of ['Makefile', 'lib', 'sql', 'cgi-bin', 'sbin']) execFileSync('cp', ['-a', path.join(tree, name), folder]);
    fs.mkdirSync(build);
    for (const name of ['lib', 'sql-gen', 'sql.c', 'sql.h', 'sql.o', 'cgi-bin', 'sbin', 'librtcc.a'])
        execFileSync('cp', ['-a', path.join(buildFolder, name), build]);
    edit(folder, withoutEpoch);
    const env = { ...process.env };
    for (const name of ['MAKEFLAGS', 'MFLAGS', 'MAKEOVERRIDES', 'MAKELEVEL']) delete env[name];
    const made = theirPrograms.map((name) => path.join(build, name));
    const args = ['-s', '-j2', `O=${build}`, '-o', path.join(build, 'sql.h'), ...made];
    execFileSync('make', args, { cwd: folder, env, stdio: 'pipe' });
    return { folder, build };
}

/* What killRun() needs to run without a mechanism (undefined: with all), and stop() to clear away. */
export async function placeWithout(name) {
    if (name === undefined || name === '') return { place: {}, stop: () => {} };
    if (name === 'reqid') {
        const between = await startBetween(() => 'noReqid');
        return { place: { settings: between.settings, between }, stop: () => between.stop() };
    }
    if (name !== 'epoch') throw new Error(`FAULT_WITHOUT is reqid or epoch, not '${name}'`);
    const { folder, build } = buildWithoutEpoch();
    return { place: { build }, stop: () => fs.rmSync(folder, { recursive: true }) };
}
