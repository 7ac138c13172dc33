// A notice's folder as a browser hands it over, and as the api takes it.

export interface Picked {
    name: string;
    /** "follow-up/email.ko.md" where a folder was picked, else empty. */
    path: string;
}

/** The files of the folder itself, without hidden ones: what `semel notice check` reads. */
export function belongs(file: Picked): boolean {
    const depth = file.path === '' ? 2 : file.path.split('/').length;
    return depth === 2 && !file.name.startsWith('.');
}

/** String.fromCharCode takes no more arguments than a stack holds. */
const piece = 0x8000;

export function base64(bytes: Uint8Array): string {
    let binary = '';
    for (let at = 0; at < bytes.length; at += piece) {
        binary += String.fromCharCode(...bytes.subarray(at, at + piece));
    }
    return btoa(binary);
}

/** What `<input type=datetime-local>` gives is a time of the browser's own zone; the api wants the zone with it. */
export function withZone(local: string): string | undefined {
    const at = local === '' ? Number.NaN : new Date(local).getTime();
    return Number.isNaN(at) ? undefined : new Date(at).toISOString();
}
