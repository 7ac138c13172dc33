// What is asked of a person's rights, and the token that is told once.

import {useEffect, useId, useRef} from 'preact/hooks';
import type {NewToken, Role} from '../api/shapes';
import {ROLES} from '../core/rights';
import {exact, useWords} from '../words';

export function RolesField({chosen, change}: {chosen: readonly Role[]; change: (roles: Role[]) => void}) {
    const w = useWords();
    const toggled = (role: Role) => ROLES.filter((one) => (one === role) !== chosen.includes(one));
    return (
        <fieldset>
            <legend>{w.users.roles}</legend>
            {ROLES.map((role) => (
                <label key={role} class="tick">
                    <input type="checkbox" checked={chosen.includes(role)} onChange={() => change(toggled(role))} />
                    {w.role[role]}
                </label>
            ))}
        </fieldset>
    );
}

/** What a new token is to be. */
export interface TokenWish {
    days: string;
    readOnly: boolean;
}
export const usualWish: TokenWish = {days: '90', readOnly: false};
export const bodyOf = ({days, readOnly}: TokenWish) => ({days: Number(days), ...(readOnly ? {scope: ['read' as const]} : {})});
export const isLife = (days: string) => /^\d{1,3}$/.test(days) && Number(days) >= 1 && Number(days) <= 366;

export function TokenFields({wish, change}: {wish: TokenWish; change: (next: Partial<TokenWish>) => void}) {
    const w = useWords();
    const own = useId();
    return (
        <>
            <label for={own}>{w.users.days}</label>
            <input id={own} type="number" required min={1} max={366} value={wish.days} onInput={(e) => change({days: e.currentTarget.value})} />
            <label class="tick">
                <input type="checkbox" checked={wish.readOnly} onChange={(e) => change({readOnly: e.currentTarget.checked})} />
                {w.users.readOnly}
            </label>
        </>
    );
}

/** Kept by this page alone, and only until somebody says that they have it, or leaves. */
export function ToldOnce({told, forget}: {told: NewToken; forget: () => void}) {
    const w = useWords();
    const box = useRef<HTMLElement>(null);
    const own = useId();
    useEffect(() => box.current?.focus(), [told.number]);
    return (
        <section ref={box} class="box watch" tabIndex={-1} aria-labelledby={own}>
            <h2 id={own}>{w.users.tokenOf(told.user)}</h2>
            <p>{w.users.once}</p>
            <p>
                <code class="long">{told.token}</code>
            </p>
            {told.expires !== null && <p>{w.users.until(exact(told.expires, w))}</p>}
            <div class="buttons">
                <button type="button" onClick={() => void navigator.clipboard?.writeText(told.token)}>
                    {w.users.copy}
                </button>
                <button type="button" class="main" onClick={forget}>
                    {w.users.have}
                </button>
            </div>
        </section>
    );
}
