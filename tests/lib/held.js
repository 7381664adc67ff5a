/* Customers who wait for news, and how long others wait meanwhile. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { post, request } from './http.js';

export async function leave(instance, member) {
    const form = { conf: member.conference, token: member.token, kind: 'leave', nonce: randomUUID() };
    assert.equal((await post(instance.base, '/cgi_bin/conf_post', form)).status, 200);
}

/* What a customer's page asks when it waits for the next event of the room: with scripts, and without. */
export const pollOf = ({ conference, token }, after) => `/cgi_bin/conf_poll?conf=${conference}&token=${token}&after=${after}&wait=25`;
export const frameOf = ({ conference, token }, after) => `/cgi_bin/conf_view?conf=${conference}&token=${token}&part=log&after=${after}`;

/* `count` people who ask this and wait: {answered, what has come so far; all, a promise of all}. */
export function waiting(instance, path, count, options = {}) {
    const agent = new http.Agent({ maxSockets: Infinity });
    const state = { answered: [] };
    state.all = Promise.all(Array.from({ length: count }, async () => {
        const answer = await request(instance.base, 'GET', path, { agent, timeout: 60000, ...options });
        const isData = answer.status === 200 && answer.headers['content-type'].startsWith('application/json');
        const one = { status: answer.status, headers: answer.headers, pause_s: isData ? answer.json().pause_s : undefined };
        state.answered.push(one);
        return one;
    }));
    return state;
}

/* What it gives, and how long it took: {value, ms}. */
export async function timed(what) {
    const began = performance.now();
    const value = await what();
    return { value, ms: performance.now() - began };
}
