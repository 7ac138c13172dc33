import {actsAs, rolesOf, type Session} from '../api/shapes';
import {placeOf, placesOf} from '../core/rights';
import {fragmentOf, type Route} from '../core/route';
import {rolesIn, useWords} from '../words';

function Places({session, page}: {session: Session; page: Route['page']}) {
    const w = useWords();
    const here = placeOf(page);
    return (
        <nav aria-label={w.places}>
            {placesOf(rolesOf(session), actsAs(session)).map((place) => (
                <a key={place} href={fragmentOf({page: place})} aria-current={place === here ? (place === page ? 'page' : 'true') : undefined}>
                    {w.place[place]}
                </a>
            ))}
        </nav>
    );
}

interface Given {
    session: Session | undefined;
    page: Route['page'];
    choose: () => void;
    leave: () => void;
}

export function Header({session, page, choose, leave}: Given) {
    const w = useWords();
    return (
        <header class="top">
            <a class="skip" href="#content" onClick={skip}>
                {w.skip}
            </a>
            <span class="mark">Semel</span>
            {session !== undefined && <Places session={session} page={page} />}
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
