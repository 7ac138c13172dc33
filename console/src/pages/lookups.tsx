import type {Look} from '../api/shapes';
import {fragmentOf} from '../core/route';
import {useConsole, usePages} from '../ui/console';
import {Loading, Numeral, Table, Time, Title, Trouble} from '../ui/parts';
import {useWords} from '../words';

function Line({look}: {look: Look}) {
    const w = useWords();
    return (
        <tr>
            <td>
                <Time at={look.time} />
            </td>
            <td>{look.user}</td>
            <td>{w.lookups.of[look.what]}</td>
            <td>
                <a href={fragmentOf({page: 'campaign', id: look.campaign})}>{look.campaign}</a>
            </td>
            <td>{look.recipient !== null && <code title={look.recipient}>{look.recipient.slice(0, 12)}</code>}</td>
            <Numeral of={look.people} />
            <td>{look.reason}</td>
            <td>{look.case}</td>
            <td>{look.from}</td>
        </tr>
    );
}

/** The latest first, page by page. */
export function LookupsPage() {
    const w = useWords();
    const {api} = useConsole();
    const read = async (before: {before?: number}) => {
        const {lookups, next} = await api.get('/v1/lookups', {}, 'person', before);
        return {items: lookups, next};
    };
    const {items: looks, more, trouble, again} = usePages(read, [api]);
    if (looks === undefined) {
        return trouble === undefined ? <Loading /> : <Trouble why={trouble} again={again} />;
    }
    return (
        <>
            <Title>{w.lookups.title}</Title>
            <p>{w.lookups.what}</p>
            {looks.length === 0 ? (
                <p>{w.lookups.none}</p>
            ) : (
                <Table
                    label={w.lookups.title}
                    head={[
                        [w.person.when, 'text'],
                        [w.history.who, 'text'],
                        [w.lookups.at, 'text'],
                        [w.lookups.campaign, 'text'],
                        [w.lookups.recipient, 'text'],
                        [w.waves.people, 'number'],
                        [w.person.reason, 'text'],
                        [w.person.case, 'text'],
                        [w.lookups.from, 'text'],
                    ]}
                >
                    {looks.map((look) => (
                        <Line key={look.number} look={look} />
                    ))}
                </Table>
            )}
            {more !== undefined && (
                <button type="button" onClick={more}>
                    {w.lookups.more}
                </button>
            )}
            {trouble !== undefined && <Trouble why={trouble} />}
        </>
    );
}
