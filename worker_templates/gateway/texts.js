/** Every sentence that a person reads, in one place: reason → title and detail. */

const TEXTS = {
  "path-malformed": ["This address is not valid", "The address has a form that no page of Metabase has."],
  "role-not-mapped": [
    "No role yet",
    "You are signed in, but none of your groups has a role here. Ask the people who look after your dashboards to add you to a group.",
  ],
  "role-ambiguous": [
    "More than one role",
    "Your groups give you more than one role, and exactly one is needed. The administrators must settle which.",
  ],
  "route-unknown": ["Not available here", "This part of Metabase is not opened to anybody."],
  "route-blocked": ["Closed", "This part of Metabase is closed to everybody from outside."],
  "resource-id-malformed": ["This address is not valid", "The address names no dashboard, question or collection."],
  "resource-id-unsettled": [
    "Not available under this address",
    "Open it by its number instead: the rules can't tell which one this address means.",
  ],
  "query-unreadable": [
    "This query can't be judged",
    "The question in the request can't be read, so it can't be allowed.",
  ],
  "rule-denied": ["Not allowed", "A rule forbids this to your role."],
  "action-not-granted": ["Not part of your role", "Your role does not include this kind of action."],
  "resource-not-granted": ["Not shared with your role", "Your role may open some of these, but not this one."],
  "origin-foreign": ["Refused", "The request was sent by another site."],
  "session-missing": ["Sign in first", "There is no session. Open the page in a browser, or send a bearer token."],
  "session-expired": ["Your session has ended", "Sign in again to go on."],
  "session-cookie-duplicated": ["Sign in again", "The browser sent the session twice, so it can't be trusted."],
  "session-cookie-malformed": ["Sign in again", "The session can't be read."],
  "sign-in-failed": ["Signing in did not work", "The identity provider's answer could not be accepted. Try once more."],
  "sign-in-expired": ["Signing in took too long", "Start once more from the page that you wanted to open."],
  "email-unverified": ["Your e-mail is not verified", "Verify it at your identity provider, then sign in again."],
  "origin-unreachable": [
    "Metabase does not answer",
    "You are signed in, but Metabase can't be reached right now. It usually comes back within a minute.",
  ],
  "user-deactivated": ["Your Metabase account is deactivated", "Ask the administrators to activate it again."],
  "user-is-administrator": [
    "Administrators do not sign in here",
    "This address belongs to an administrator of Metabase, whose rights no role may take.",
  ],
  "origin-throttled": ["Too many attempts", "Metabase asks to wait. Try again in a few minutes."],
  "host-unknown": ["Nothing here", "This address is served under another name."],
  "internal-fault": ["Something went wrong", "The gateway could not judge the request, so it was refused."],
  denied: ["Not allowed", "You are not allowed to open this page."],
};
const TOKEN = ["The token is not accepted", "The bearer token is missing, expired, or not meant for this gateway."];
const GENERAL = ["Refused", "The request was refused."];

/** @param {string} reason @returns {{title: string, detail: string}} */
export function wordsFor(reason) {
  const [title, detail] = TEXTS[reason] ?? (/^(?:token|bearer|access-token)-/.test(reason) ? TOKEN : GENERAL);
  return { title, detail };
}
