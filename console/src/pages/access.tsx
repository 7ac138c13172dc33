import type {Schemas} from '../api/client';
import {useConsole, usePages} from '../ui/console';
import {Loading, Numeral, Said, Table, Time, Title, Trouble} from '../ui/parts';
import {useWords} from '../words';

type Event = Schemas['AccessEvents']['events'][number];

function Line({event}: {event: Event}) {
    const w = useWords();
    return (
        <tr>
            <td>
                <Time at={event.time} />
            </td>
            <td>{event.user ?? ''}</td>
            <td class="brief">{w.access.of[event.what]}</td>
            <td>{event.about ?? ''}</td>
            <td class="prose">
                <Said>{event.text}</Said>
            </td>
            <td>{event.from ?? ''}</td>
            <Numeral of={event.times} />
        </tr>
    );
}

/** The latest first, page by page. */
export function AccessPage() {
    const w = useWords();
    const {api} = useConsole();
    const read = async (before: {before?: number}) => {
        const {events, next} = await api.get('/v1/users/events', {}, 'person', before);
        return {items: events, next};
    };
    const {items: events, more, trouble, again} = usePages(read, [api]);
    if (events === undefined) {
        return trouble === undefined ? <Loading /> : <Trouble why={trouble} again={again} />;
    }
    return (
        <>
            <Title>{w.access.title}</Title>
            <p>{w.access.what}</p>
            {events.length === 0 ? (
                <p>{w.access.none}</p>
            ) : (
                <Table
                    label={w.access.title}
                    head={[
                        [w.history.when, 'text'],
                        [w.history.who, 'text'],
                        [w.history.what, 'text'],
                        [w.access.about, 'text'],
                        [w.access.text, 'text'],
                        [w.lookups.from, 'text'],
                        [w.doubts.times, 'number'],
                    ]}
                >
                    {events.map((event) => (
                        <Line key={event.number} event={event} />
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
