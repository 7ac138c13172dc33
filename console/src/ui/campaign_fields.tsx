// What is asked of every new campaign, whoever its people are; and what the api says once it is made.

import type {ComponentChildren} from 'preact';
import type {Answer} from '../api/client';
import {base64, belongs, withZone} from '../core/notice_folder';
import {useWords} from '../words';
import {Said, Time, Title} from './parts';

const POLICIES = ['resend', 'hold', 'presume-sent'] as const;

export interface Asked {
    name: string;
    deadline: string;
    inDoubt: (typeof POLICIES)[number];
    notice: FileList | null;
}
export const nothingAsked: Asked = {name: '', deadline: '', inDoubt: 'resend', notice: null};

async function noticeOf(picked: FileList): Promise<Record<string, string>> {
    const notice: Record<string, string> = {};
    for (const file of picked) {
        if (belongs({name: file.name, path: file.webkitRelativePath})) {
            notice[file.name] = base64(new Uint8Array(await file.arrayBuffer()));
        }
    }
    return notice;
}

/** The api fills in what is absent. */
export async function bodyOf(asked: Asked, notice: FileList) {
    const deadline = withZone(asked.deadline);
    return {
        name: asked.name,
        in_doubt: asked.inDoubt,
        notice: await noticeOf(notice),
        ...(deadline === undefined ? {} : {deadline}),
    };
}

interface Given {
    asked: Asked;
    change: (next: Partial<Asked>) => void;
}

export function NameField({asked, change}: Given) {
    const w = useWords();
    return (
        <>
            <label for="name">{w.list.name}</label>
            <input id="name" required maxLength={200} value={asked.name} onInput={(e) => change({name: e.currentTarget.value})} />
        </>
    );
}

export function NoticeFields({asked, change}: Given) {
    const w = useWords();
    return (
        <>
            <label for="notice">{w.create.notice}</label>
            <input
                id="notice"
                type="file"
                required
                {...{webkitdirectory: true}}
                aria-describedby="how-notice"
                onChange={(e) => change({notice: e.currentTarget.files})}
            />
            <p class="help" id="how-notice">
                {w.create.noticeHow}
            </p>
            <label for="deadline">{w.create.deadline}</label>
            <input id="deadline" type="datetime-local" value={asked.deadline} aria-describedby="how-deadline" onInput={(e) => change({deadline: e.currentTarget.value})} />
            <p class="help" id="how-deadline">
                {w.create.deadlineHow}
            </p>
            <fieldset>
                <legend>{w.create.inDoubt}</legend>
                {POLICIES.map((policy) => (
                    <label key={policy} class="tick">
                        <input type="radio" name="in-doubt" checked={asked.inDoubt === policy} onChange={() => change({inDoubt: policy})} />
                        <span>{w.create.policy[policy]}</span>
                    </label>
                ))}
            </fieldset>
        </>
    );
}

type Told = Pick<Answer<'/v1/campaigns', 'post'>, 'id' | 'warnings' | 'deadline' | 'deadline_basis'>;

export function MadeOne({title, made, children}: {title: string; made: Told; children: ComponentChildren}) {
    const w = useWords();
    return (
        <>
            <div role="status">
                <Title>{title}</Title>
                <p>
                    <code>{made.id}</code>
                </p>
                <p>
                    {w.clock.deadline}: <Time at={made.deadline} />
                    {made.deadline_basis !== '' && (
                        <span class="help">
                            <Said>{made.deadline_basis}</Said>
                        </span>
                    )}
                </p>
            </div>
            {made.warnings.length > 0 && (
                <div class="box watch">
                    <h2>{w.create.warnings}</h2>
                    <ul lang="en">
                        {made.warnings.map((words) => (
                            <li key={words}>{words}</li>
                        ))}
                    </ul>
                </div>
            )}
            {children}
        </>
    );
}
