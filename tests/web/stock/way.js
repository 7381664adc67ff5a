/* The whole way on the machine that is installed, at http://127.0.0.1: by the wire, and by the README's own commands. The name of the
 * agent anna, where it is longer: way.js [NAME]. */
import assert from 'node:assert/strict';
import { get } from '../../lib/http.js';
import { isListening, until } from '../../lib/instance.js';
import { curlCase, wholeWay } from '../../lib/ways.js';

const instance = { base: 'http://127.0.0.1', password: process.env.RTCC_DEMO_PASSWORD };
await until(() => isListening(80), 'the web server serves');
assert.match((await get(instance.base, '/')).body, /click here/);
await wholeWay(instance);
await curlCase(instance, process.argv[2]);
console.log('the whole way');
