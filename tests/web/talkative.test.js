/* A customer who writes as much as he may, as often as he likes, in what grows most when it is escaped: he is offered, accepted,
 * read and kept as anybody. Takes long. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { get } from '../lib/http.js';
import { startInstance } from '../lib/instance.js';
import { accept, act, agentPoll, allEvents, ask, readyAgent, say, waitForOffer } from '../lib/people.js';

const MESSAGES = 400, CHARS = 7990, LARGEST_BYTES = 16 << 20;
const texts = Array.from({ length: MESSAGES }, (_, i) => `${'<'.repeat(CHARS)} ${i}.`);
const numberIn = (text) => / (\d+)\.$/.exec(text)?.[1];
let instance, customer, agent;
before(async () => {
    instance = await startInstance();
    customer = await ask(instance, { question: 'Are you there?' });
    for (const text of texts) await say(instance, customer, text);
});
after(() => instance?.stop());

const room = (program, query) => get(instance.base, `/cgi_bin/${program}`, { conf: customer.conference, token: customer.token,
    ...query });
const said = (events) => events.filter((one) => one.kind === 'message').map((one) => one.text);

test('he is offered, with the end of what he said, and his agent works on', async () => {
    agent = await readyAgent(instance, 'anna');
    const offer = await waitForOffer(instance, agent, customer.conference), history = said(offer.history);
    assert.equal(history.at(-1), texts.at(-1));
    assert.deepEqual(history, texts.slice(-history.length), 'without a gap');
    const staff = await accept(instance, agent, offer);
    const { conferences } = await agentPoll(instance, agent);
    assert.deepEqual(conferences.map((one) => one.conference), [customer.conference]);
    await say(instance, staff, 'I am.');
    const heard = new Map();
    for (let after = 0, more = true; more;) {
        const page = await agentPoll(instance, agent, after);
        ({ after, more } = page);
        page.events.forEach((one) => heard.set(one.id, one));
    }
    assert.deepEqual(said([...heard.values()]), ['Are you there?', ...texts, 'I am.'], 'his desk has all of it, once');
});

test('polls bring everything, in pages', async () => {
    const events = await allEvents(instance, customer);
    assert.deepEqual(said(events), ['Are you there?', ...texts, 'I am.']);
    const { headers, status, bytes } = await room('conf_poll', { after: 0, wait: 0 });
    assert.equal(status, 200);
    assert.ok(bytes.length < LARGEST_BYTES / 4, `a page has ${bytes.length} bytes, ${headers['content-length']}`);
});

test('the window and the way without scripts show the end of it', async () => {
    for (const part of ['', 'log', 'page']) {
        const { status, body } = await get(instance.base, '/cgi_bin/conf_view', { conf: customer.conference, part },
            { bearer: customer.token });
        assert.equal(status, 200, part);
        assert.ok(body.includes('I am.') && body.includes(` ${MESSAGES - 1}.`), part);
    }
});

const partsOf = {
    json: (answer) => { const { events, next } = answer.json(); return { found: said(events).map(numberIn), next }; },
    html: ({ body }) => ({ found: [...body.matchAll(/&lt; (\d+)\./g)].map((one) => one[1]),
        next: /rel="next" href="([^"]+)"/.exec(body)?.[1].replaceAll('&amp;', '&') }),
    txt: ({ body }) => ({ found: [...body.matchAll(/< (\d+)\.$/gm)].map((one) => one[1]),
        next: /^It goes on: (\S+)$/m.exec(body)?.[1].slice(instance.base.length) }),
};
for (const [format, read] of Object.entries(partsOf)) {
    test(`the transcript has all of it, in parts that lead to each other: ${format}`, async () => {
        const numbers = [];
        let parts = 0, answer = await room('transcript', { format });
        for (let next = true; next; parts++) {
            assert.equal(answer.status, 200);
            const part = read(answer);
            numbers.push(...part.found.filter(Boolean));
            ({ next } = part);
            if (next) answer = await get(instance.base, next);
        }
        assert.deepEqual(numbers, texts.map(numberIn));
        assert.ok(parts > 1 && parts < 40, `${parts} parts`);
    });
}

test('an agent may end it', async () => {
    await act(instance, agent, 'end', { conf: customer.conference });
    assert.deepEqual((await agentPoll(instance, agent)).conferences, []);
});
