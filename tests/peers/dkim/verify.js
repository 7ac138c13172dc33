// npm's mailauth as a judge: node verify.js DIR prints "pass" or "fail: why" for each DKIM signature of DIR/message.eml, with
// DIR/dns.json (name -> text) in place of DNS.
const { readFileSync } = require('node:fs');
const { dkimVerify } = require('mailauth/lib/dkim/verify');

const dir = process.argv[2];
const records = JSON.parse(readFileSync(`${dir}/dns.json`, 'utf8'));
const resolver = async (name, type) => {
    if (type === 'TXT' && records[name]) return [[records[name]]];
    throw Object.assign(new Error(`no ${type} of ${name}`), { code: 'ENOTFOUND' });
};

dkimVerify(readFileSync(`${dir}/message.eml`), { resolver }).then(({ results }) => {
    for (const r of results) {
        const { result, comment } = r.status;
        console.log(result === 'pass' ? 'pass' : `fail: ${result} ${comment || ''}`);
    }
});
