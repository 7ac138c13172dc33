import {rolesOf, type Session} from '../api/shapes';
import {mayOpen} from '../core/rights';
import {fragmentOf} from '../core/route';
import {rolesIn, useWords} from '../words';

export function Header({session, choose, leave}: {session: Session | undefined; choose: () => void; leave: () => void}) {
    const w = useWords();
    return (
        <header class="top">
            <a class="skip" href="#content" onClick={skip}>
                {w.skip}
            </a>
            <span class="mark">Semel</span>
            {session !== undefined && (
                <nav aria-label="Semel">
                    <a href={fragmentOf({page: 'campaigns'})}>{w.campaigns}</a>{' '}
                    {mayOpen(rolesOf(session), 'lookups') && <a href={fragmentOf({page: 'lookups'})}>{w.lookups.title}</a>}
                </nav>
            )}
            <span class="gap" />
            {session !== undefined && <span class="who">{w.signedInAs(session.user, rolesIn(rolesOf(session), w))}</span>}
            <button type="button" class="plain" lang={w.language === 'en' ? 'ko' : 'en'} onClick={choose}>
                {w.otherLanguage}
            </button>
            {session !== undefined && (
                <button type="button" class="plain" onClick={leave}>
                    {w.signOut}
                </button>
            )}
        </header>
    );
}

/** The fragment is the route, so the link must not change it. */
function skip(event: Event) {
    event.preventDefault();
    document.getElementById('content')?.focus();
}
