/* A whole case with every program in it: what the tests that watch the programs from outside (traced, under valgrind, for half
 * an hour) let them do. */
import assert from 'node:assert/strict';
import { get, post, request } from './http.js';
import { accept, act, agentPoll, ask, confPoll, readyAgent, say, sendFile, waitForOffer } from './people.js';
import { html, json, schedule } from './wire.js';

const url = (name) => `/cgi_bin/${name}`;
const fine = (answer, what) => assert.ok(answer.status < 400, `${what}: ${answer.status} ${answer.body}`);

/* The rooms and their lists, as the original product's client asks for them. */
async function administer({ base }) {
    const { id, leader, participant } = await schedule(base, { subject: 'größer & <kleiner>', timezone: 'Europe/Berlin' });
    fine(await get(base, url('vcs_call'), { action: 'add', vanity: participant, call_callid: id, name: 'Ann' }), 'vcs_call');
    fine(await get(base, url('vcs_call'), { action: 'list', vanity: leader, call_callid: id }, json), 'vcs_call');
    fine(await get(base, `/call/${participant}`, {}, html), '/call');
    for (const options of [{}, json]) fine(await get(base, url('vcs'), { all_vanities: 'true' }, options), 'vcs');
    fine(await get(base, url('vcs_conf_delete'), { delete_vanity: leader }), 'vcs_conf_delete');
    fine(await get(base, url('queue'), { action: 'list' }), 'queue');
    for (const query of [{}, { format: 'metrics' }]) fine(await get(base, url('status'), query), 'status');
}

/* Everything that is refused somewhere. */
async function blunder({ base }, customer) {
    for (const [method, name, options] of [['POST', 'form_submit', { form: { name: '', phone: 'x' } }], ['PUT', 'vcs', {}],
        ['GET', 'conf_poll', { query: { conf: 'x', token: 'm_1_x' } }], ['GET', 'file_get', { query: { id: 99 } }],
        ['POST', 'conf_post', { form: { conf: customer.conference, token: customer.token, kind: 'nonsense' } }],
        ['POST', 'agent_sign', { form: { login: 'nobody', password: 'x' } }], ['POST', 'agent_act', { form: { action: 'ready' } }],
        ['POST', 'file_put', { type: 'multipart/form-data; boundary=b', body: '--b\r\n' }], ['GET', 'queue', { query: { action: 'x' } }],
        ['POST', 'conf_post', { type: 'application/x-www-form-urlencoded', body: 'x'.repeat(120000) }]]) {
        const answer = await request(base, method, url(name), options);
        assert.ok(answer.status >= 400 && answer.status < 500, `${name}: ${answer.status}`);
    }
}

async function talkAndEnd(instance, agent, customer, staff) {
    const { base } = instance, { conference: conf, token } = customer;
    const waiting = confPoll(instance, customer, (await confPoll(instance, customer)).after, 5);
    await say(instance, staff, 'Good morning <b>& welcome</b> \u{1f600}');
    assert.ok((await waiting).events.length > 0);
    await say(instance, customer, 'Hello.');
    await post(base, url('conf_post'), { conf, token, kind: 'typing' });
    const { file } = await sendFile(instance, customer, 'größe.txt', 'text/plain', 'x'.repeat(5000));
    fine(await get(base, url('file_get'), { id: file, token }, { headers: { Range: 'bytes=10-20' } }), 'file_get');
    for (const part of ['', 'log', 'write', 'page']) fine(await get(base, url('conf_view'), { conf, token, part }, html), 'conf_view');
    await act(instance, agent, 'note', { conf, text: 'A friendly one.' });
    await agentPoll(instance, agent);
    await blunder(instance, customer);
    await act(instance, agent, 'end', { conf });
    for (const format of ['html', 'txt', 'json']) fine(await get(base, url('transcript'), { conf, token, format }), 'transcript');
    await post(base, url('conf_post'), { conf, token, kind: 'rating', stars: 5, text: 'Good.' });
}

/* From the form to the rating; every program answers something good, and most also something that is wrong. */
export async function wholeFlow(instance, login = 'anna') {
    const { base } = instance;
    await administer(instance);
    fine(await get(base, url('form_submit'), {}, html), 'the form');
    const agent = await readyAgent(instance, login), customer = await ask(instance, { email: 'ann@example.com' });
    const offer = await waitForOffer(instance, agent, customer.conference);
    await talkAndEnd(instance, agent, customer, await accept(instance, agent, offer));
    fine(await post(base, url('agent_sign'), { action: 'out' }, { bearer: agent.token, ...json }), 'agent_sign out');
}
