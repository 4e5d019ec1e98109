/** Every sentence that a person reads, in one place: reason → title and detail. */

const TOKEN = ["The token is not accepted", "The token is missing, expired, or not meant for this gateway."];
const ADDRESS = "This address is not valid";
const AGAIN = "Sign in again";
const TEXTS = {
  "path-malformed": [ADDRESS, "It has a form that no page of Metabase has."],
  "host-unknown": ["Nothing here", "This address is served under another name."],
  "role-not-mapped": [
    "No role yet",
    "You are signed in, but none of your groups has a role here. Ask the people who look after your dashboards to add you to a group.",
  ],
  "role-ambiguous": [
    "More than one role",
    "Your groups give you more than one role, and exactly one is needed. Your administrators must settle which.",
  ],
  "route-unknown": ["Not available here", "This part of Metabase is not opened to anybody."],
  "route-blocked": ["Closed", "This part of Metabase is closed to everybody from outside."],
  "resource-id-malformed": [ADDRESS, "It names no dashboard, question or collection."],
  "resource-id-unsettled": [
    "Not available under this address",
    "Open it by its number instead: the rules can't tell which one this address means.",
  ],
  "query-unreadable": [
    "This query can't be judged",
    "What the request asks for can't be read for certain, so it can't be allowed.",
  ],
  "rule-denied": ["Not allowed", "A rule forbids this to your role."],
  "action-not-granted": ["Not part of your role", "Your role does not include this kind of action."],
  "resource-not-granted": ["Not shared with your role", "Your role may open some of these, but not this one."],
  "origin-foreign": ["Refused", "The request was sent by another site."],
  "session-missing": ["Sign in first", "There is no session. Open the page in a browser, or send a bearer token."],
  "session-expired": ["Your session has ended", "Sign in again to go on."],
  "session-cookie-duplicated": [AGAIN, "The browser sent the session twice, so it can't be trusted."],
  "session-cookie-malformed": [AGAIN, "The session can't be read."],
  "sign-in-failed": ["Signing in did not work", "The identity provider's answer could not be accepted. Try once more."],
  "sign-in-expired": ["Signing in took too long", "Start once more from the page that you wanted to open."],
  "email-missing": ["Your account has no e-mail", "The identity provider names no address that could be yours here."],
  "email-unverified": ["Your e-mail is not verified", "Verify it at your identity provider, then sign in again."],
  "provider-unreachable": ["Signing in is not possible right now", "The identity provider does not answer. Try again."],
  "origin-unreachable": [
    "Metabase does not answer",
    "You are signed in, but Metabase can't be reached right now. It usually comes back within a minute.",
  ],
  "broker-failed": ["Metabase can't be opened right now", "Your Metabase session could not be made. Try again."],
  "origin-throttled": ["Too many attempts", "Metabase asks to wait. Try again in a few minutes."],
  "user-deactivated": ["Your Metabase account is deactivated", "Ask your administrators to activate it again."],
  "user-is-administrator": [
    "Administrators do not sign in here",
    "This address belongs to an administrator of Metabase, whose rights no role may take.",
  ],
  "role-without-group": [
    "Your role is not set up",
    "Metabase has no group for your role yet. Ask your administrators.",
  ],
  "second-factor-required": [
    "Your Metabase account has a second factor",
    "Here your identity provider is the one that asks for it. Ask your administrators to take it off in Metabase.",
  ],
  "access-token-missing": ["Sign in first", "The request did not come through Cloudflare Access."],
  "bearer-malformed": TOKEN,
  "bearer-not-accepted": ["Tokens are not accepted", "This gateway takes no bearer tokens."],
  "token-malformed": TOKEN,
  "token-expired": TOKEN,
  "token-not-yet-valid": TOKEN,
  "token-signature-invalid": TOKEN,
  "token-algorithm-refused": TOKEN,
  "token-key-unknown": TOKEN,
  "token-claims-invalid": TOKEN,
  "token-issuer-foreign": TOKEN,
  "token-audience-foreign": TOKEN,
  "token-nonce-foreign": TOKEN,
  "token-type-foreign": TOKEN,
  "token-trust-incomplete": TOKEN,
  "client-aborted": ["Cancelled", "The connection was closed before the answer."],
  "internal-fault": ["Something went wrong", "The gateway could not judge the request, so it was refused."],
  denied: ["Not allowed", "You are not allowed to open this page."],
};
const GENERAL = ["Refused", "The request was refused."];

/** @param {string} reason @returns {{title: string, detail: string}} */
export function wordsFor(reason) {
  const [title, detail] = Object.hasOwn(TEXTS, reason) ? TEXTS[reason] : GENERAL;
  return { title, detail };
}

/** @returns {[string, {title: string, detail: string}][]} every reason, in order */
export function allReasons() {
  return Object.keys(TEXTS).map((reason) => [reason, wordsFor(reason)]);
}
