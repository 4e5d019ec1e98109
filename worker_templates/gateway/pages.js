/**
 * The gateway's own pages: what each says, and the ways on that it offers. Nobody who is stopped meets a wall.
 *
 * May not: write a value unescaped, show a token or a claim (CVE-2024-39315), redirect, or need a script.
 */

import { splitPath } from "./authorize.js";
import { brand } from "./brand.js";
import config from "./config.js";
import { actions, apart, escapeHtml, facts, link, say } from "./html.js";
import { page } from "./layout.js";
import { wordsFor } from "./texts/index.js";
import { askPart, openingsPart, otherAccount, signOutForm } from "./ways.js";

const IS_ACCESS = config.identity.mode === "access";
/** The page that follows is Cloudflare's. */
const ACCESS_SIGN_OUT = "/cdn-cgi/access/logout";

function askedFor(texts, { resource, path }) {
  if (!resource) return path && apart(path);
  const known = Object.hasOwn(texts.kinds, resource.kind) ? texts.kinds[resource.kind] : null;
  return known ? say(known, { id: resource.id }) : apart(`${resource.kind} ${resource.id}`);
}

/**
 * Says why, by which rule, and where to go instead.
 * @param {object} texts
 * @param {{reason: string, role: string | null, who: string | null, isSignedIn: boolean, rule?: string | null, resource?: {kind: string, id: string} | null, path?: string, id: string}} told
 * @param {number} status
 */
export function deniedPage(texts, told, status) {
  const { ui } = texts;
  const { title, detail, help } = wordsFor(texts, told.reason);
  const known = facts([
    [ui.signedInAs, told.who && apart(told.who)],
    [ui.role, told.isSignedIn ? (told.role ? apart(told.role) : ui.noRole) : null],
    [ui.askedFor, askedFor(texts, told)],
  ]);
  // Who lacks a claim that the role needs can open nothing with it.
  const ways = told.reason === "attribute-missing" ? "" : openingsPart(texts, told.role);
  const way = told.isSignedIn ? otherAccount(texts, !ways) : actions(link("/", ui.signIn, { isMain: true }));
  // Whom to ask is said below where it is known.
  const isSaid = brand.support && help === wordsFor(texts, "denied").help;
  return page(texts, {
    sign: "lock",
    title,
    lead: [escapeHtml(detail), isSaid ? "" : escapeHtml(help)],
    parts: [known, ways, askPart(texts, { title: ui.askDeniedTitle, text: ui.askDenied, ...told }), way],
    small: { reason: told.reason === "denied" ? null : told.reason, rule: told.rule, requestId: told.id },
    status,
  });
}

/** The origin, or what leads to it, does not answer: nobody's fault who sees it, and it can be tried again. */
export function unreachablePage(texts, record, headers) {
  const again = isSigningIn(record) ? signInPath(record) : againPath(record);
  const unit = { style: "unit", unit: "second", unitDisplay: "long", numberingSystem: "latn" };
  const time = new Intl.NumberFormat(texts.lang, unit).format(headers["Retry-After"]);
  const wait = say(texts.ui.retryIn, { time });
  const ways = actions(link(again, texts.ui.tryAgain, { isMain: true }));
  return failed(texts, record, { sign: "cloud", wait, ways, status: 503, headers });
}

/** Anything else that went wrong; where signing in is what helps, that is the one button. */
export function failurePage(texts, record, status, headers) {
  const { ui } = texts;
  if (IS_ACCESS && record.reason === "session-expired") {
    // Access would go on without asking, with the sign-in that is over here.
    const ways = actions(link(ACCESS_SIGN_OUT, ui.signOut, { isMain: true }));
    return failed(texts, record, { sign: "clock", wait: ui.signOutFirst, ways, status, headers });
  }
  if (status === 401 || isSigningIn(record)) {
    const ways = actions(link(signInPath(record), ui.signInAgain, { isMain: true }));
    return failed(texts, record, { sign: "clock", ways, status, headers });
  }
  // What is wrong with an account, or with us, can be over at the next try; a wrong address stays wrong.
  const isLasting = status !== 500 && !record.principal;
  const way = isLasting
    ? link("/", ui.startPage, { isMain: true })
    : link(againPath(record), ui.tryAgain, { isMain: true });
  return failed(texts, record, { sign: "alert", ways: actions(way), status, headers });
}

function failed(texts, record, { sign, wait = "", ways, status, headers }) {
  const { ui } = texts;
  const { reason, requestId, principal, decision } = record;
  const { title, detail, help } = wordsFor(texts, reason);
  const told = { title: ui.askFailedTitle, text: ui.askFailed, id: requestId, reason };
  const known = facts([
    [ui.signedInAs, status !== 401 && principal?.email && apart(principal.email)],
    [ui.role, status !== 401 && decision?.role && apart(decision.role)],
  ]);
  return page(texts, {
    sign,
    title,
    lead: [escapeHtml(detail), escapeHtml(help), wait],
    parts: [ways, known, askPart(texts, told), status === 403 && principal && otherAccount(texts, false)],
    small: { reason, rule: decision?.rule, requestId },
    status,
    headers,
  });
}

function isSigningIn(record) {
  return record.own === "GET /_gateway/callback";
}

/** Signing in, and back to where the person was; behind Access every page of ours leads through its sign-in. */
function signInPath(record) {
  const back = againPath(record);
  return IS_ACCESS ? back : `/_gateway/sign-in?${new URLSearchParams({ return_to: back })}`;
}

/** The same page again, but for the gateway's own ones, which can't be repeated, and for what is no path of ours. */
function againPath({ back, path, search }) {
  if (back) return back;
  const isOurs = splitPath(path) !== null && !/^\/_gateway(?:\/|$)/.test(path);
  return isOurs ? path + search : "/";
}

/** After signing out. The sign-in of the company may outlive ours; people on shared devices must know. */
export function signedOutPage(texts, record, headers) {
  const { ui } = texts;
  const outlives = IS_ACCESS || !config.identity.end_session_endpoint;
  const again = link("/", ui.signInAgain, { isMain: true });
  return page(texts, {
    sign: "done",
    title: ui.signedOutTitle,
    lead: [ui.signedOut, ui.signedOutShared, outlives && ui.companyAlive],
    parts: [actions(again, IS_ACCESS ? link(ACCESS_SIGN_OUT, ui.endCompanySession) : "")],
    small: { requestId: record.requestId },
    status: 200,
    headers,
  });
}

/** GET of sign-out: asks, since a link on another site must not sign anybody out. */
export function signOutPage(texts, record) {
  const { ui } = texts;
  return page(texts, {
    sign: "leave",
    title: ui.signOutTitle,
    lead: [ui.signOutDetail, IS_ACCESS && ui.companyAlive],
    parts: [actions(signOutForm(texts, true), link("/", ui.staySignedIn))],
    small: { requestId: record.requestId },
    status: 200,
  });
}

/** What every reason means; problem documents link here. */
export function problemsPage(texts, record) {
  const { ui, reasons } = texts;
  const rows = Object.keys(reasons).map((reason) => {
    const { title, detail, help } = wordsFor(texts, reason);
    const name = escapeHtml(reason);
    return `<dt id="${name}">${escapeHtml(title)} <code dir="ltr">${name}</code></dt><dd>${escapeHtml(detail)} ${escapeHtml(help)}</dd>`;
  });
  return page(texts, {
    sign: "info",
    title: ui.problemsTitle,
    lead: [ui.problemsDetail],
    parts: [`<dl class="reasons">${rows.join("")}</dl>`],
    small: { requestId: record.requestId },
    status: 200,
  });
}
