/* The three ways of Apache: how long a poll is held, and that those who wait leave room for the others. Needs the whole machine.
 * Once is enough: it measures time. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { get } from '../lib/http.js';
import { frameOf, leave, pollOf, timed, waiting } from '../lib/held.js';
import { sleep, startInstance } from '../lib/instance.js';
import { act, agentPoll, ask, confPoll, conversation, say } from '../lib/people.js';

const ways = [
    { web: 'apache', name: 'mod_proxy_fcgi', longest: 25 },
    { web: 'fcgid', name: 'mod_fcgid', longest: 2 },
    { web: 'cgid', name: 'mod_cgid', longest: 2 },
];

for (const way of ways) describe(way.name, () => {
    let instance, base;

    before(async () => {
        instance = await startInstance({ web: way.web });
        base = instance.base;
    });
    after(() => instance?.stop());

    test('news ends a wait at once; without news it lasts as long as this way can hold', async () => {
        const { agent, customer, staff } = await conversation(instance, 'ben');
        await act(instance, agent, 'notready');
        const { after } = await confPoll(instance, customer);
        const held = timed(() => confPoll(instance, customer, after, 20));
        await sleep(500);
        await say(instance, staff, 'Are you there?');
        const { value, ms } = await held;
        assert.equal(value.events.find((event) => event.kind === 'message')?.text, 'Are you there?');
        assert.ok(ms >= 400 && ms < 2500, `${ms} ms`);
        const idle = await timed(() => confPoll(instance, customer, value.after, 4));
        assert.deepEqual(idle.value.events, []);
        const most = Math.min(4, way.longest) * 1000;
        assert.ok(idle.ms > most - 300 && idle.ms < most + 1500, `${idle.ms} ms where ${most} were right`);
        await act(instance, agent, 'end', { conf: customer.conference });
    });

    const deskOf = ({ after }) => `/cgi_bin/agent_poll?after=${after}&wait=25`;
    const crowds = {
        '60 polls': ({ customer, after }) => [waiting(instance, pollOf(customer, after), 60)],
        '20 frames and 20 desks': ({ customer, after, agent, desk }) => [waiting(instance, frameOf(customer, after), 20),
            waiting(instance, deskOf(desk), 20, { bearer: agent.token, accept: 'application/json' })],
    };
    for (const [name, crowd] of Object.entries(crowds)) test(`while ${name} are held, a page, a form and a message are answered`, async () => {
        const { agent, customer, staff } = await conversation(instance, 'sam');
        await act(instance, agent, 'notready');
        const { after } = await confPoll(instance, customer), desk = await agentPoll(instance, agent);
        const held = crowd({ customer, after, agent, desk });
        await sleep(1000);
        assert.deepEqual(held.flatMap((one) => one.answered), [], 'they are held');
        const page = await timed(() => get(base, '/style.css'));
        assert.equal(page.value.status, 200);
        assert.ok(page.ms < 1000, `a page: ${page.ms} ms`);
        const form = await timed(() => ask(instance));
        assert.ok(form.ms < 4000, `a form: ${form.ms} ms`);
        await leave(instance, form.value);
        const message = await timed(() => say(instance, staff, 'All of you?'));
        assert.ok(message.ms < 4000, `a message: ${message.ms} ms`);
        const answers = (await Promise.all(held.map((one) => one.all))).flat();
        assert.ok(answers.length >= 40);
        assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200]);
        await act(instance, agent, 'end', { conf: customer.conference });
    });

    if (way.web === 'apache') test('more polls than there is room for are held shortly or refused at once, all else is answered', async () => {
        const { agent, customer, staff } = await conversation(instance, 'anna');
        await act(instance, agent, 'notready');
        const { after } = await confPoll(instance, customer);
        const held = waiting(instance, pollOf(customer, after), 1800);
        await sleep(4000);
        const early = held.answered.slice();
        const page = await timed(() => get(base, '/style.css'));
        assert.equal(page.value.status, 200);
        assert.ok(page.ms < 1000, `a page: ${page.ms} ms`);
        const message = await timed(() => say(instance, staff, 'All of you?'));
        assert.ok(message.ms < 1000, `a message: ${message.ms} ms`);
        const answers = await held.all;
        const refused = answers.filter((answer) => answer.status === 503);
        assert.ok(refused.every((answer) => answer.headers['retry-after'] === '2'));
        assert.ok(early.some((answer) => answer.status === 200), 'some were held for a second only');
        assert.ok(answers.length - early.length > 256, `${answers.length - early.length} were held on`);
        assert.deepEqual(answers.filter((answer) => ![200, 503].includes(answer.status)), []);
        await act(instance, agent, 'end', { conf: customer.conference });
    });
});
