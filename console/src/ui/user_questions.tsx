// What is asked before somebody's rights change.

import {useState} from 'preact/hooks';
import type {KnownUser, Role, Token} from '../api/shapes';
import {useWords} from '../words';
import {Dialog} from './parts';
import {isLife, RolesField, TokenFields, usualWish, type TokenWish} from './user_fields';

export type Question = {about: 'roles' | 'token' | 'user'; user: KnownUser} | {about: 'end'; user: KnownUser; token: Token};

export interface Answers {
    roles: (user: string, roles: Role[]) => void;
    token: (user: string, wish: TokenWish) => void;
    /** One token, or the user with all of them. */
    revoke: (user: string, token?: number) => void;
    no: () => void;
}

function AskRoles({user, answers}: {user: KnownUser; answers: Answers}) {
    const w = useWords();
    const [roles, setRoles] = useState<Role[]>(user.roles);
    return (
        <Dialog title={w.users.rolesOf(user.user)} yes={w.users.give} no={w.steps.keep} ready={roles.length > 0} onYes={() => answers.roles(user.user, roles)} onNo={answers.no}>
            <RolesField chosen={roles} change={setRoles} />
            <p>{roles.length > 0 ? w.users.rolesHow : w.users.noRoles}</p>
        </Dialog>
    );
}

function AskToken({user, answers}: {user: KnownUser; answers: Answers}) {
    const w = useWords();
    const [wish, setWish] = useState(usualWish);
    return (
        <Dialog title={w.users.tokenFor(user.user)} yes={w.users.make} no={w.steps.keep} ready={isLife(wish.days)} onYes={() => answers.token(user.user, wish)} onNo={answers.no}>
            <TokenFields wish={wish} change={(next) => setWish((had) => ({...had, ...next}))} />
            <p>{w.users.tokenHow}</p>
        </Dialog>
    );
}

export function Asking({question, answers}: {question: Question; answers: Answers}) {
    const w = useWords();
    const {user} = question;
    switch (question.about) {
        case 'roles':
            return <AskRoles user={user} answers={answers} />;
        case 'token':
            return <AskToken user={user} answers={answers} />;
        case 'end':
            return (
                <Dialog
                    title={w.users.endOf(user.user, String(question.token.number))}
                    yes={w.users.endIt}
                    no={w.steps.keep}
                    grave
                    onYes={() => answers.revoke(user.user, question.token.number)}
                    onNo={answers.no}
                >
                    <p>{w.users.endHow}</p>
                </Dialog>
            );
        case 'user':
            return (
                <Dialog title={w.users.revokeOf(user.user)} yes={w.users.revokeIt} no={w.steps.keep} grave onYes={() => answers.revoke(user.user)} onNo={answers.no}>
                    <p>{w.users.revokeHow}</p>
                    <p>{user.from_file ? w.users.revokeFile : w.users.revokeAgain}</p>
                </Dialog>
            );
    }
}
