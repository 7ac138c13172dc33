// The console: who is signed in, which language, which page.

import {Component, type ComponentChildren} from 'preact';
import {useEffect, useMemo, useState} from 'preact/hooks';
import {Api, type Refusal} from './api/client';
import type {Session} from './api/shapes';
import {codeOf, fragmentOf, isArrival, routeOf, signOnTroubleOf, type Route, type SignOnTrouble} from './core/route';
import {mayOpen} from './core/rights';
import {AccessPage} from './pages/access';
import {ApprovalPage} from './pages/approval';
import {CampaignPage} from './pages/campaign';
import {CampaignsPage} from './pages/campaigns';
import {DecisionsPage} from './pages/decisions';
import {DoubtsPage} from './pages/doubts';
import {FollowUpPage} from './pages/follow_up';
import {IncidentPage} from './pages/incident';
import {LookupsPage} from './pages/lookups';
import {NewCampaignPage} from './pages/new_campaign';
import {PersonPage} from './pages/person';
import {SessionsPage} from './pages/sessions';
import {SignIn} from './pages/sign_in';
import {UsersPage} from './pages/users';
import {Patterns} from './ui/coverage_bar';
import {Header} from './ui/header';
import {Title} from './ui/parts';
import {ConsoleContext, consoleOf, leftPage, refusalOf, useConsole} from './ui/console';
import {chosen, languages, rolesIn, useWords, WordsContext, type Language} from './words';

const LANGUAGE = 'semel.language';

/** Storage may be forbidden; then the choice lasts as long as the page. */
const kept = {
    read: (): string | null => {
        try {
            return localStorage.getItem(LANGUAGE);
        } catch {
            return null;
        }
    },
    write: (language: Language): void => {
        try {
            localStorage.setItem(LANGUAGE, language);
        } catch {
            // as said
        }
    },
};

/** The code leaves the address at once: it must not stay in the history. */
function takeArrival(): {code: string; refused?: SignOnTrouble | undefined} {
    const taken = {code: codeOf(location.hash), refused: signOnTroubleOf(location.hash)};
    if (isArrival(location.hash)) {
        history.replaceState(null, '', '#/campaigns');
    }
    return taken;
}

/** Back to the page from which somebody went to sign in anew. */
function goBack(): void {
    const before = leftPage.take();
    if (before !== '' && (location.hash === '' || location.hash === '#/campaigns')) {
        location.hash = fragmentOf(routeOf(before));
    }
}

interface Nobody {
    over: boolean;
    trouble?: Refusal;
    refused?: SignOnTrouble | undefined;
    signOn: string;
}
type Signed = 'asking' | Nobody | Session;

function useSession(api: Api): [Signed, (s: Signed) => void, () => void] {
    const [signed, setSigned] = useState<Signed>('asking');
    const ask = (code = '', refused?: SignOnTrouble) => {
        const found =
            code === '' ? api.get('/v1/session') : api.post('/v1/session', {}, {code});
        found.then(
            (session) => {
                setSigned(session);
                goBack();
            },
            (why: unknown) => {
                const trouble = refusalOf(why);
                const nobodyYet = code === '' && trouble.status === 401;
                const known = {over: false, refused, signOn: trouble.signOn};
                setSigned(nobodyYet ? known : {...known, trouble});
            },
        );
    };
    useEffect(() => {
        api.onEnd = (why) => setSigned({over: true, signOn: why.signOn});
        const {code, refused} = takeArrival();
        ask(code, refused);
    }, [api]);
    return [signed, setSigned, ask];
}

function useRoute(): Route {
    const [route, setRoute] = useState(() => routeOf(isArrival(location.hash) ? '' : location.hash));
    useEffect(() => {
        const follow = () => {
            if (isArrival(location.hash)) {
                location.reload(); // another address of `semel console`, opened where the console is open already
                return;
            }
            setRoute(routeOf(location.hash));
            document.getElementById('content')?.focus();
            window.scrollTo(0, 0);
        };
        addEventListener('hashchange', follow);
        return () => removeEventListener('hashchange', follow);
    }, []);
    return route;
}

class Guard extends Component<{words: string; children: ComponentChildren}, {failed: boolean}> {
    state = {failed: false};
    static getDerivedStateFromError() {
        return {failed: true};
    }
    render() {
        return this.state.failed ? <p role="alert">{this.props.words}</p> : this.props.children;
    }
}

function Page({route}: {route: Route}) {
    const w = useWords();
    const {roles} = useConsole();
    if (!mayOpen(roles, route.page)) {
        return (
            <>
                <Title>{w.trouble.forbidden}</Title>
                <p role="alert">{w.trouble.otherRole(rolesIn(roles, w))}</p>
            </>
        );
    }
    switch (route.page) {
        case 'campaigns':
            return <CampaignsPage />;
        case 'new':
            return <NewCampaignPage />;
        case 'campaign':
            return <CampaignPage key={route.id} id={route.id} />;
        case 'approval':
            return <ApprovalPage key={route.id} id={route.id} />;
        case 'doubts':
            return <DoubtsPage key={route.id} id={route.id} />;
        case 'follow-up':
            return <FollowUpPage key={route.id} id={route.id} />;
        case 'incident':
            return <IncidentPage key={route.id} id={route.id} />;
        case 'decisions':
            return <DecisionsPage />;
        case 'access':
            return <AccessPage />;
        case 'lookups':
            return <LookupsPage />;
        case 'users':
            return <UsersPage />;
        case 'sessions':
            return <SessionsPage />;
        case 'person':
            return <PersonPage key={route.id} id={route.id} />;
        case 'nowhere':
            return <Title>{w.trouble.notFound}</Title>;
    }
}

export function App() {
    const api = useMemo(() => new Api(), []);
    const [language, setLanguage] = useState<Language>(() => chosen(kept.read(), navigator.languages));
    const [signed, setSigned, ask] = useSession(api);
    const route = useRoute();
    const w = languages[language];
    useEffect(() => {
        document.documentElement.lang = language;
    }, [language]);
    const session = typeof signed === 'object' && 'user' in signed ? signed : undefined;
    api.guard = session?.guard ?? '';
    const choose = () => {
        const other = language === 'en' ? 'ko' : 'en';
        kept.write(other);
        setLanguage(other);
    };
    const leave = () => {
        api.delete('/v1/session').then(
            () => ask(),
            () => setSigned({over: false, signOn: ''}),
        );
    };
    return (
        <WordsContext.Provider value={w}>
            <Patterns />
            <Header session={session} page={route.page} choose={choose} leave={leave} />
            <main id="content" tabIndex={-1}>
                <Guard key={JSON.stringify(route)} words={w.trouble.failed}>
                    {session !== undefined ? (
                        <ConsoleContext.Provider value={consoleOf(api, session)}>
                            <Page route={route} />
                        </ConsoleContext.Provider>
                    ) : signed === 'asking' ? (
                        <p role="status">{w.signIn.working}</p>
                    ) : (
                        <SignIn api={api} {...('over' in signed ? signed : {over: false, signOn: ''})} done={setSigned} />
                    )}
                </Guard>
            </main>
        </WordsContext.Provider>
    );
}
