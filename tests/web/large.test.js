/* Large bodies through every web server, as they come: at once, without a length, slowly. They wait most of the
 * time, so the ways run at once. */
import { after, before, describe, test } from 'node:test';
import { startInstance } from '../lib/instance.js';
import { chunkedBodies, largestFile, longAddresses, slowClient } from '../lib/ways.js';

const ways = { nginx: 'nginx', apache: 'mod_proxy_fcgi', fcgid: 'mod_fcgid', cgid: 'mod_cgid' };

describe('through every web server', { concurrency: true }, () => Object.entries(ways).forEach(([web, name]) => {
    describe(name, { concurrency: 1 }, () => {
        let instance;
        before(async () => { instance = await startInstance({ web }); });
        after(() => instance?.stop());

        test('a file of 20 MB passes and comes back, one byte more is refused', () => largestFile(instance));
        test('an address that is too long is refused by the program, in the form that was asked for', { skip: web === 'cgid' &&
            'mod_cgid hands no more than 8,192 bytes of an address on: Apache refuses a longer one itself, with a page' },
        () => longAddresses(instance.base));
        test('a message and a file whose length nobody said beforehand arrive whole', () => chunkedBodies(instance));
        test('who needs thirteen seconds for a message and for a file is heard', () => slowClient(instance));
    });
}));
