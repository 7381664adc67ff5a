/* The web server reloads while people talk, come and go: no request fails. Every request is sent once, and one that is not answered
 * is a fault; but for what is cut off with a kept connection that the web server closes: it has not been done, and who asks once
 * more is answered. Where Apache starts the programs itself its modules lose some (README.md says why): who insists is answered. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { sleep, until } from '../lib/instance.js';
import { check } from './lib/check.js';
import { killRun } from './lib/kills.js';
import { keepConnections } from './lib/once.js';
import { seeds } from './lib/random.js';
import { sized } from './lib/soak.js';
import { startTalks } from './lib/talks.js';
import { checkVisits, startVisits } from './lib/visits.js';
import { inWorld } from './lib/world.js';

const RELOADS = sized(8, 40), INSISTED_RELOADS = 8; // each of the latter may leave a process of Apache for ever

const graceful = ({ runDir }) => process.kill(Number(fs.readFileSync(path.join(runDir, 'apache.pid'), 'utf8')), 'SIGUSR1');
const reloads = {
    nginx: ({ runDir }) => promisify(execFile)('nginx', ['-p', `${runDir}/`, '-c', 'nginx.conf', '-s', 'reload'], { cwd: runDir,
        env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } }),
    apache: graceful,
};
const serverOf = { nginx: 'nginx', apache: 'apache2' };

/* What only people ask, and never twice without need. The access log has each request that a program was given. */
const asked = ['agent_act', 'agent_sign', 'conf_post', 'file_get', 'file_put', 'form_submit'];

/* What was cut off has never come to a program: each has had as many requests as it was heard to answer. */
async function checkOnce({ instance, answered }) {
    const logged = () => {
        const names = instance.log('access').split('\n').map((line) => /"\w+ \/cgi_bin\/(\w+)/.exec(line)?.[1]);
        return asked.map((program) => [program, names.filter((one) => one === program).length]);
    };
    const heard = asked.map((program) => [program, answered.get(program).count]);
    const isWhole = () => logged().every(([, count], i) => count >= heard[i][1]);
    await until(isWhole, 'the access log is written', 5000, 250).catch(() => {}); // it is compared as it is
    assert.deepEqual(logged(), heard);
}

async function reload(t, web, kept, world) {
    const visits = startVisits(world), chance = world.random('reloads'), workers = new Set();
    const talks = await startTalks(world, visits, 4, 30);
    visits.go(3);
    const hasNew = () => world.instance.processes(serverOf[web]).filter(({ pid }) => !workers.has(pid) && workers.add(pid)).length > 0;
    hasNew();
    let mostCut = 0; // a reload cuts off each connection once, if somebody sends on each just then, as where a machine is slow
    for (let i = 0; i < RELOADS; i++) {
        mostCut += kept?.open() ?? 0;
        await reloads[web](world.instance);
        await until(hasNew, `reload ${i}: there is a new process`);
        await sleep(chance.between(300, 900));
        await until(() => visits.were(i / 2), `reload ${i}: people come and go`, 20000); // where a machine is slow
    }
    const visited = await visits.stop(), said = await talks.stop();
    await visits.close();
    t.diagnostic(`${said} messages, ${visited} visits beside them, ${workers.size} processes of ${web}, ${kept?.again ?? 0} asked again, `
        + `of ${mostCut} connections`);
    assert.ok(workers.size > RELOADS + 1, `${workers.size} processes`);
    assert.ok(said.every((one) => one > 20), String(said));
    assert.ok(visited > RELOADS / 2, `${visited} visits`);
    if (kept) assert.ok(kept.again <= mostCut, `${kept.again} were cut off, of ${mostCut} connections at ${RELOADS} reloads`);
    await checkOnce(world);
    const faults = [...check(world), ...checkVisits(world)];
    assert.deepEqual(faults.slice(0, 20), [], `${faults.length} faults`);
}

async function reloadOf(t, web, kept) {
    const settings = { hold_s: 5, capacity: 25, offer_s: 60 };
    try {
        await inWorld(`reload-${web}${kept ? '-kept' : ''}`, { agents: 3, web, settings }, (world) => {
            world.kept = kept;
            return reload(t, web, kept, world);
        });
    } finally {
        kept?.agent.destroy();
    }
}

/* Customers and agents who insist, as pages do, while Apache reloads. A module that starts the programs
 * loses what its processes of before have in hand when its helper ends; so long as nobody hears a yes that is not kept, and
 * nothing is done twice, who asks again does not notice. */
async function insistOf(t, web, pauses) {
    const [seed] = seeds(1), size = { kills: 0, customers: 50, atOnce: 5, agents: 4, quiet: 3000, web };
    let reloaded = 0, allReloads;
    const reloadAll = async (world) => {
        for (const chance = world.random('reloads'); reloaded < INSISTED_RELOADS && world.begun < size.customers; reloaded++) {
            await sleep(chance.between(...pauses));
            graceful(world.instance);
        }
    };
    const prepare = (world) => { allReloads = reloadAll(world); allReloads.catch(() => {}); };
    const { faults, summary, file } = await killRun(`reload-${web}`, seed, { ...size, prepare });
    await allReloads;
    t.diagnostic(JSON.stringify({ reloaded, ...summary }));
    assert.deepEqual(faults.slice(0, 20), [], `${faults.length} faults; FAULT_SEED=${seed} repeats it; ${file}`);
    assert.ok(reloaded > INSISTED_RELOADS / 2, `${reloaded} reloads while people came`);
    assert.ok(summary.acceptances > size.customers * 0.8, 'there was work');
}

describe('while people talk', { concurrency: 2 }, () => {
    for (const web of ['nginx', 'apache']) {
        test(`${web} reloads ${RELOADS} times: no request fails`, (t) => reloadOf(t, web));
        test(`${web} reloads ${RELOADS} times: on kept connections whoever asks once more is answered`, (t) =>
            reloadOf(t, web, keepConnections()));
    }
    for (const [web, pauses] of Object.entries({ cgid: [500, 1500], fcgid: [2000, 4000] })) {
        test(`${web} reloads ${INSISTED_RELOADS} times: whoever insists is answered, nothing is lost or doubled`, (t) =>
            insistOf(t, web, pauses));
    }
});
