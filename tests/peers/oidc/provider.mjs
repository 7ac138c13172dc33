// npm's oidc-provider on this machine, with a client for each algorithm that Semel takes: provider.mjs PORT BACK. Anybody
// is let in by name, with any password; who is called lead-* is in the group leads, everybody else in ops.

import {generateKeyPairSync} from 'node:crypto';
import {createServer} from 'node:http';
import Provider from 'oidc-provider';

const [port, back] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const key = (kid, type, options) => ({...generateKeyPairSync(type, options).privateKey.export({format: 'jwk'}), kid, use: 'sig'});
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];

const provider = new Provider(issuer, {
    clients: algorithms.map((alg) => ({
        client_id: `semel-${alg}`,
        client_secret: 'the secret, with signs: %+&',
        redirect_uris: [back],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        token_endpoint_auth_method: alg === 'PS256' ? 'client_secret_post' : 'client_secret_basic',
        id_token_signed_response_alg: alg,
    })),
    jwks: {
        keys: [
            key('rsa', 'rsa', {modulusLength: 2048}),
            key('ec', 'ec', {namedCurve: 'P-256'}),
            key('ed', 'ed25519'),
        ],
    },
    enabledJWA: {idTokenSigningAlgValues: algorithms},
    pkce: {required: () => true},
    claims: {openid: ['sub'], profile: ['preferred_username', 'groups'], email: ['email', 'email_verified']},
    conformIdTokenClaims: false, // the claims of the scopes stand in the ID token
    findAccount: (_, id) => ({
        accountId: id,
        claims: () => ({sub: id, preferred_username: id, groups: [id.startsWith('lead-') ? 'leads' : 'ops'], email: `${id}@example.com`, email_verified: true}),
    }),
    features: {devInteractions: {enabled: true}},
    cookies: {keys: ['only for tests']},
});
provider.on('server_error', (_, error) => console.error(error));
provider.on('grant.error', (_, error) => console.error(`oidc-provider: ${error.error}: ${error.error_detail ?? error.message}`));
provider.on('authorization.error', (_, error) => console.error(`oidc-provider: ${error.error}: ${error.error_detail ?? error.message}`));

createServer(provider.callback()).listen(Number(port), '127.0.0.1');
