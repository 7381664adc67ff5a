// sending: the files that somebody chose, one after the other, each with its bubble.
import { once } from './post.js';
import { upload } from './upload.js';

/**
 * @param {object} options
 * @param {import('./log.js').Log} options.log
 * @param {() => Object<string, string>} options.fields conf, token, csrf, read anew for each request
 * @param {number} options.maxBytes
 * @param {string} options.maxText for example '20 MB'
 * @returns {(files: File[]) => void} sends these too; give it to composer() as onFiles
 */
export function fileSender({ log, fields, maxBytes, maxText }) {
  let line = Promise.resolve();
  return (files) => {
    for (const file of files) {
      const sending = new Sending(file, { log, fields, maxBytes, maxText }, (start) => { line = line.then(start); });
      sending.begin();
    }
  };
}

class Sending {
  constructor(file, options, enqueue) {
    Object.assign(this, options, { file, enqueue });
    this.nonce = once();
    this.bubble = this.log.upload({ name: file.name, bytes: file.size }, {
      onCancel: () => this.cancel(), onRetry: () => this.begin(),
    });
  }

  begin() {
    const isTooLarge = this.file.size > this.maxBytes;
    if (isTooLarge) return this.bubble.fail(`This file is too large. Files can have up to ${this.maxText}.`, true);
    if (!this.file.size) return this.bubble.fail('This file is empty.', true);
    this.stop = new AbortController();
    return this.enqueue(() => this.run(this.stop.signal));
  }

  async run(signal) {
    try {
      const { fields, file, nonce } = this;
      const answer = await upload({
        url: '/cgi_bin/file_put', fields, file, nonce, signal, onProgress: (progress) => this.bubble.progress(progress),
      });
      this.bubble.done(answer.event);
    } catch (problem) {
      if (problem.code !== 'cancelled') this.bubble.fail(problem.message, problem.isFinal);
    }
  }

  cancel() {
    this.stop.abort();
    this.bubble.remove();
  }
}
