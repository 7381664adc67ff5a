/* Ten thousand customers wait in one process: what each costs there, what all cost while nothing happens, and that each hears
 * exactly what concerns him. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ask } from '../lib/fastcgi.js';
import { say } from '../lib/people.js';
import { sleep, startInstance, until } from '../lib/instance.js';

const CUSTOMERS = 10000, BYTES_EACH = 256, FIRST_CONF = 100000000000000, FIRST_MEMBER = 5000000;
let instance, pid, customers;

/* Straight into the database: what counts here is the waiting, and ten thousand forms would take their time. */
function makeCustomers() {
    const numbers = `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${CUSTOMERS - 1})`;
    const now = Date.now();
    const key = execFileSync('sqlite3', ['-cmd', '.timeout 5000', path.join(instance.runDir, 'state/rtcc.db'), `
        BEGIN;
        ${numbers} INSERT INTO conference (site, id, type, subject, owner, account, digest, code, state, start_at, created_at)
            SELECT 1, ${FIRST_CONF} + i, 'reservationless', '', '', 'test', '', 2 * i, 'waiting', ${now}, ${now} FROM n;
        ${numbers} INSERT INTO member (site, id, conf, role, is_leader, name, joined_at)
            SELECT 1, ${FIRST_MEMBER} + i, ${FIRST_CONF} + i, 'customer', 0, 'Ann', ${now} FROM n;
        ${numbers} INSERT INTO invitation (site, id, conf, url, account, digest, priority, state, queued_at)
            SELECT 1, ${2 * FIRST_MEMBER} + i, ${FIRST_CONF} + i, 'http://127.0.0.1/', 'test', '', 5, 'queued', ${now} + i FROM n;
        COMMIT;
        SELECT hmac_key || ' ' || last_event FROM site;`], { encoding: 'utf8' }).trim();
    const [hmacKey, lastEvent] = key.split(' ');
    return Array.from({ length: CUSTOMERS }, (_, i) => {
        const conf = FIRST_CONF + i, member = FIRST_MEMBER + i;
        const mac = createHmac('sha256', hmacKey).update(`member/${conf}/${member}`).digest().subarray(0, 24).toString('base64url');
        return { conference: `${conf}server`, token: `m_${member}_${mac}`, after: lastEvent };
    });
}

const memory = () => Number(fs.readFileSync(`/proc/${pid}/status`, 'utf8').match(/RssAnon:\s+(\d+)/)[1]) * 1024;
const descriptors = () => fs.readdirSync(`/proc/${pid}/fd`).length;
const cpuTicks = () => {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return Number(fields[11]) + Number(fields[12]);
};

/* A connection that is accepted is not yet a request that is read. */
async function rests() {
    const before = cpuTicks();
    await sleep(500);
    return cpuTicks() - before <= 2;
}

function wait(customer) {
    const QUERY_STRING = `conf=${customer.conference}&token=${customer.token}&after=${customer.after}&wait=25`;
    customer.poll = ask(path.join(instance.runDir, 'sock/conf_poll.sock'), { QUERY_STRING, SCRIPT_NAME: '/cgi_bin/conf_poll' });
    customer.heard = undefined;
    customer.poll.answer.then((text) => { customer.heard = JSON.parse(text.slice(text.indexOf('\r\n\r\n'))); });
}

before(async () => {
    instance = await startInstance({ crowd: true });
    customers = makeCustomers();
    pid = instance.processes('conf_poll')[0].pid;
});

after(() => {
    customers?.forEach((customer) => customer.poll?.socket.destroy());
    return instance?.stop();
});

test('ten thousand customers wait in one process, at 256 bytes each there', async (t) => {
    customers.slice(0, 100).forEach(wait); /* what the first ones bring with them (buffers, the database's cache) is not theirs */
    await until(() => descriptors() > 100, 'the first hundred are held');
    await sleep(1000);
    const before100 = memory();
    for (let i = 100; i < CUSTOMERS; i += 500) {
        customers.slice(i, i + 500).forEach(wait);
        await until(() => descriptors() > Math.min(i + 500, CUSTOMERS), `${i + 500} are held`, 20000); // no more than its socket's queue takes
    }
    await until(rests, 'all that was asked is read', 20000);
    const each = (memory() - before100) / (CUSTOMERS - 100);
    t.diagnostic(`${each.toFixed(0)} bytes each`);
    assert.equal(customers.filter((customer) => customer.heard).length, 0, 'nobody has been answered');
    if (!process.env.RTCC_BUILD?.includes('asan')) assert.ok(each <= BYTES_EACH, `${each} bytes each`);
});

test('while nothing happens they cost next to nothing', async (t) => {
    const before = cpuTicks();
    await sleep(3000);
    const share = (cpuTicks() - before) / 300;
    t.diagnostic(`${(100 * share).toFixed(1)} % of a core`);
    assert.ok(share < 0.05, `${share} of a core`);
});

test('each hears exactly what concerns him, once', async () => {
    const called = customers.filter((_, i) => i % 50 === 0);
    for (let i = 0; i < called.length; i += 20) {
        await Promise.all(called.slice(i, i + 20).map((customer, n) => say(instance, customer, `to number ${i + n}`)));
    }
    await until(() => called.every((customer) => customer.heard), 'all who were called have heard it', 10000);
    called.forEach((customer, n) => {
        const said = customer.heard.events.filter((event) => event.kind === 'message').map((event) => event.text);
        assert.deepEqual(said, [`to number ${n}`]);
    });
    await sleep(300);
    assert.equal(customers.filter((customer) => customer.heard).length, called.length, 'nobody else was woken');
});

test('a customer who goes away is forgotten at once', async () => {
    const before = descriptors();
    customers.filter((customer) => !customer.heard).slice(0, 1000).forEach((customer) => customer.poll.socket.destroy());
    await until(() => descriptors() <= before - 1000, 'a thousand descriptors are free', 3000);
});
