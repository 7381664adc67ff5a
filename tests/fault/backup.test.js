/* A backup is made while a crowd comes and goes, and put into another instance: what is there is a prefix of the history. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { get } from '../lib/http.js';
import { buildFolder, sleep, startInstance, until } from '../lib/instance.js';
import { allEvents } from '../lib/people.js';
import { sized } from './lib/soak.js';
import { rtcc } from '../lib/wire.js';
import { agent as worker } from './lib/agent.js';
import { customer as visitor, hashOf } from './lib/customer.js';
import { inWorld } from './lib/world.js';

const CUSTOMERS = sized(60, 1000), LOOKED_AT = sized(10, 100);

const command = (runDir, ...args) => rtcc(buildFolder, path.join(runDir, 'rtcc.conf'), args);

/* So many customers; in the middle a copy is made: when that began and ended. There are files before it and behind it, and however long
 * it takes, many still come when it is there. */
async function crowd(world, copy) {
    const files = (from) => world.history.of('file').some((one) => one.status === 200 && one.began > from);
    let isEnough = () => false, times;
    const workers = world.logins.map((login) => worker(world, login));
    const visits = Promise.all(Array.from({ length: 8 }, async () => {
        while (!isEnough()) await visitor(world, world.begun++);
    }));
    const all = Promise.all([visits.then(() => sleep(500)).then(() => { world.isOver = true; }), ...workers]);
    all.catch(() => {}); // it is awaited below
    try {
        await until(() => world.begun >= CUSTOMERS * 0.4 && files(0), 'some have come', 30000 + 100 * CUSTOMERS);
        const began = world.now(), made = await command(world.instance.runDir, 'backup', copy), ended = world.now();
        assert.equal(made.status, 0, made.stderr);
        const last = Math.max(CUSTOMERS, world.begun + CUSTOMERS * 0.4);
        times = { began, ended };
        isEnough = () => world.begun >= last && (files(ended) || world.begun > 10 * CUSTOMERS);
    } finally {
        if (!times) isEnough = () => true;
        await all;
    }
    return times;
}

/* Another instance, with the copy in place of its own database. It is not started: it would go on with the forms that it finds. */
async function restore(runDir, copy) {
    await (await startInstance({ runDir })).stop();
    const { status, stderr } = await command(runDir, 'restore', copy);
    assert.equal(status, 0, stderr);
}

/* The events there are the first so many of those here: what was acknowledged before is among them, what began behind is not. */
function checkEvents(world, there, { began, ended }) {
    const all = world.rows('SELECT id, conf, member, kind, audience, text, data FROM event ORDER BY id');
    const sql = `SELECT id, conf, member, kind, audience, text, data FROM event WHERE id <= ${all.at(-1).id} ORDER BY id`;
    const kept = world.rows(sql, there);
    assert.ok(kept.length > 50 && kept.length < all.length, `${kept.length} of ${all.length} events`);
    assert.deepEqual(kept, all.slice(0, kept.length), 'the first so many, nothing in between is missing');
    const last = kept.at(-1).id;
    for (const said of world.history.of('say').filter((one) => one.status === 200)) {
        if (said.ended < began) assert.ok(said.answer.id <= last, `'${said.text}' was acknowledged before the backup`);
        if (said.began > ended) assert.ok(said.answer.id > last, `'${said.text}' came after the backup`);
    }
    return { kept, all };
}

/* All else that is there are the first so many of their kind, as far as rows do not change. Ids of conferences are drawn, and many
 * are made in one millisecond: of these each that is there is here, too. */
const lasting = { conference: 'id, subject, created_at', member: 'id, conf, role, name, joined_at', invitation: 'id, conf, name',
    reservation: 'id, invitation, agent', file: 'id, conf, name, total' };
function checkRows(world, there) {
    for (const [table, columns] of Object.entries(lasting)) {
        const [here, kept] = [world.instance, there].map((one) => world.rows(`SELECT ${columns} FROM ${table} ORDER BY id`, one)
            .map((row) => JSON.stringify(row)));
        assert.ok(kept.length > 0 && kept.length < here.length, `${table}: ${kept.length} of ${here.length}`);
        const isDrawn = table === 'conference', known = new Set(here);
        assert.deepEqual(kept, isDrawn ? kept.filter((row) => known.has(row)) : here.slice(0, kept.length), table);
    }
    assert.deepEqual(world.rows('PRAGMA integrity_check', there), [{ integrity_check: 'ok' }]);
    assert.deepEqual(world.rows('PRAGMA foreign_key_check', there), []);
}

/* Who was served before reads there what he read here (and behind it perhaps that an agent is away), and every file that was taken
 * before is there. */
async function checkReaders(world, there, kept, { began }) {
    const before = (op) => world.history.of(op).filter((one) => one.status === 200 && one.ended < began);
    for (const { answer } of before('ask').slice(0, LOOKED_AT)) {
        const read = (await allEvents(there, answer)).map((one) => one.id).filter((id) => id <= kept.at(-1).id);
        const expected = kept.filter((one) => one.conf === Number(answer.conference.slice(0, 15)) && one.audience === 'all');
        assert.deepEqual(read, expected.map((one) => one.id), 'a customer reads there what he read here');
    }
    for (const { name, sha, token, answer } of before('file')) {
        const file = await get(there.base, '/cgi_bin/file_get', { id: answer.file, token });
        assert.equal(file.status, 200, `${name}: ${file.body.slice(0, 500)}`);
        assert.equal(hashOf(file.bytes), sha, `${name} is there as it was sent`);
    }
    return { customers: before('ask').length, files: before('file').length };
}

/* The forms that were half done are done there, each once, although the secret of form_submit's key is another there. */
async function checkForms(world, there) {
    const open = () => world.rows('SELECT count(*) AS open FROM request WHERE is_done = 0', there)[0].open;
    const before = open();
    await until(() => open() === 0, 'every form is done', 30000, 500);
    assert.deepEqual(world.rows('SELECT subject, count(*) AS times FROM conference GROUP BY subject HAVING times > 1', there), []);
    return before;
}

test(`a backup made among ${CUSTOMERS} customers and restored on another place is a prefix of the history`, async (t) => {
    const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-'))), copy = path.join(folder, 'copy.db');
    try {
        await inWorld('backup', { agents: 4 }, async (world) => {
            const times = await crowd(world, copy);
            const runDir = path.join(folder, 'run');
            await restore(runDir, copy);
            const { kept, all } = checkEvents(world, { runDir }, times);
            checkRows(world, { runDir });
            const there = await startInstance({ runDir });
            try {
                const half = await checkForms(world, there);
                const { customers, files } = await checkReaders(world, there, kept, times);
                t.diagnostic(`${kept.length} of ${all.length} events, ${customers} customers, ${files} files, ${half} forms half done`);
            } finally {
                await there.stop();
            }
        });
    } finally {
        fs.rmSync(folder, { recursive: true, force: true });
    }
});
