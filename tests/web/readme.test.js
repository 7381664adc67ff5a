/* The README's case in curl does what it says, as it stands there. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { startInstance, tree } from '../lib/instance.js';
import { caseInCurl, curlCase, readme } from '../lib/ways.js';

test('the case in curl runs as it stands in the README and ends with its transcript', async () => {
    assert.ok(caseInCurl.trim().split('\n').length <= 30, 'the case has 30 lines at most');
    const instance = await startInstance();
    try {
        await curlCase(instance);
    } finally {
        await instance.stop();
    }
});

test('every file and picture that the README names is there', () => {
    const names = [...readme.matchAll(/\]\(([^)#:]+)\)|`((?:cgi-bin|sbin|lib|sql|htdocs|conf|tests)\/[\w./-]*)`/g)];
    assert.ok(names.length > 20);
    for (const [, link, code] of names) {
        const name = (link ?? code).replace('NAME', 'vcs');
        if (/[*…]/.test(name)) continue;
        assert.ok(fs.existsSync(path.join(tree, name)), `${name} is named but not there`);
    }
});
