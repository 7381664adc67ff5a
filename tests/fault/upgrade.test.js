/* The programs are replaced by newer ones while people talk: nobody notices. Every request is sent once, and
 * one that fails is a fault. Needs the whole machine. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { buildFolder, sleep, startInstance, until } from '../lib/instance.js';
import { accept, agentPoll, ask, confPoll, readyAgent, say } from '../lib/people.js';

const HOLD_S = 5;

/* A conversation that goes on until stop(): both read with held polls and write, and every answer has to be a good one. {stop() →
 * how much was said and read} */
function keepTalking(instance, { customer, staff }, pause) {
    const state = { isOver: false, isSaid: false, said: [], read: new Map([[customer, []], [staff, []]]) };
    const speak = async (member, name) => {
        for (let i = 0; !state.isOver; i++) {
            const text = `${name} ${i}`;
            await say(instance, member, text, text);
            state.said.push(text);
            await sleep(pause * (0.5 + Math.random()));
        }
    };
    const listen = async (member) => {
        for (let after = 0, page, isLast = false; !isLast || page.events.length; ({ after } = page)) {
            isLast = state.isSaid; // what was on its way when it was over is read, too
            page = await confPoll(instance, member, after, state.isOver ? 0 : HOLD_S);
            state.read.get(member).push(...page.events.filter((one) => one.kind === 'message').map((one) => one.text));
        }
    };
    const speaking = Promise.all([speak(customer, 'customer'), speak(staff, 'agent')]).then(() => { state.isSaid = true; });
    const all = Promise.all([speaking, listen(customer), listen(staff)]);
    all.catch(() => {}); // stop() throws it
    return { async stop() {
        state.isOver = true;
        await all;
        for (const read of state.read.values()) {
            const said = read.filter((text) => state.said.includes(text));
            assert.deepEqual([...said].sort(), [...state.said].sort(), 'each has read everything once');
        }
        return state.said.length;
    } };
}

/* So many conferences with an agent in each. */
async function talks(instance, count, logins) {
    const agents = await Promise.all(logins.map((login) => readyAgent(instance, login))), found = [];
    const customers = new Map();
    for (let i = 0; i < count; i++) {
        const customer = await ask(instance, { question: '' });
        customers.set(customer.conference, customer);
    }
    await until(async () => {
        for (const agent of agents) {
            for (const offer of (await agentPoll(instance, agent)).offers) {
                found.push({ customer: customers.get(offer.conference), staff: await accept(instance, agent, offer) });
            }
        }
        return found.length === count;
    }, 'everybody is served', 60000, 0);
    return found;
}

/* A folder with the programs of its own, that can be replaced. */
function ownBuild() {
    const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'rtcc-build-')));
    for (const name of ['cgi-bin', 'sbin']) execFileSync('cp', ['-a', path.join(buildFolder, name), folder]);
    return folder;
}

/* Puts other files in the programs' places, as a package's upgrade does. */
function replaceAll(build) {
    for (const name of fs.readdirSync(path.join(build, 'cgi-bin')).filter((one) => !one.includes('.'))) {
        const file = path.join(build, 'cgi-bin', name);
        fs.copyFileSync(file, `${file}.new`);
        fs.renameSync(`${file}.new`, file);
    }
}

/* The inode of the file that a process runs. */
const inodeOf = ({ pid }) => { try { return fs.statSync(`/proc/${pid}/exe`).ino; } catch { return 0; } };

/* Other files under the programs' names, then each is asked to end. */
async function upgrade(t) {
    const build = ownBuild(), logins = ['anna', 'ben', 'sam', 'admin'];
    const instance = await startInstance({ build, settings: { capacity: 25, hold_s: HOLD_S, offer_s: 60 } });
    try {
        const pairs = await talks(instance, 100, logins);
        const talking = pairs.map((pair) => keepTalking(instance, pair, 3000));
        await sleep(1000);
        const programs = fs.readdirSync(path.join(build, 'cgi-bin')).filter((name) => !name.includes('.'));
        const running = programs.flatMap((name) => instance.processes(name));
        replaceAll(build);
        for (const { pid } of running) process.kill(pid, 'SIGTERM'); // as systemctl restart does; the sockets stay
        const olds = () => programs.filter((name) => {
            const { ino } = fs.statSync(path.join(build, 'cgi-bin', name)), found = instance.processes(name);
            return found.length === 0 || found.some((one) => inodeOf(one) !== ino);
        });
        await until(() => olds().length === 0, 'the new programs run', 15000);
        const customer = await ask(instance);
        assert.equal((await confPoll(instance, customer)).state, 'waiting');
        await sleep(2000);
        const said = await Promise.all(talking.map((one) => one.stop()));
        t.diagnostic(`${said.reduce((a, b) => a + b)} messages in ${said.length} conferences`);
        assert.ok(said.every((one) => one >= 2));
    } finally {
        await instance.stop();
        fs.rmSync(build, { recursive: true });
    }
}

test('the programs are upgraded with 100 live conferences: none notices', upgrade);
