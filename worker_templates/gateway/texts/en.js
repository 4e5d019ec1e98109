/**
 * English: the language of whoever asks for none that we have, and of every problem document.
 *
 * A reason has a title, what happened in plain words, and what to do about it; `{name}` is a value, set apart by the page.
 */

const ASK = "Ask the people who look after your dashboards.";
const TOKEN = [
  "The token is not accepted",
  "The token is missing, expired, or not meant for this gateway.",
  "Get a new token from your identity provider, or open the page in a browser.",
];
const ADDRESS = "This address is not valid";
const CHECK = "Check the link, or begin at the start page.";
const AGAIN = "Please sign in again";
const WAIT = "This is not your fault, and you have lost nothing.";

export default {
  lang: "en",
  dir: "ltr",
  ui: {
    signedInAs: "Signed in as",
    role: "Role",
    noRole: "none",
    askedFor: "You asked for",
    reason: "Reason",
    rule: "Rule",
    request: "Request",
    details: "Details for support",
    openings: "What your role can open",
    startPage: "Go to the start page",
    home: "Home",
    tryAgain: "Try again",
    retryIn: "Try again in about {time}.",
    signIn: "Sign in",
    signInAgain: "Sign in again",
    signOut: "Sign out",
    signOutFirst: "Sign out first, then open the page again: you will be asked to sign in.",
    otherAccount: "Is this the wrong account?",
    staySignedIn: "Stay signed in",
    endCompanySession: "End the company sign-in too",
    askDeniedTitle: "Do you need this?",
    askDenied: "Ask for access, and name the request below: it tells them what you tried to open.",
    askFailedTitle: "Still stuck?",
    askFailed: "If it goes on, ask for help and name the request below.",
    ask: "Ask {who}",
    askSubject: "{brand}: request {id}",
    signedOutTitle: "You are signed out",
    signedOut: "Your session here has ended.",
    signedOutShared: "Close the browser too if others use this device.",
    companyAlive:
      "Your company's sign-in may still be alive in this browser: then whoever opens the dashboards next gets in without being asked.",
    signOutTitle: "Sign out?",
    signOutDetail: "You will need to sign in again to see your dashboards.",
    problemsTitle: "Why a request is refused",
    problemsDetail: "Every answer that is not what you asked for names one of these reasons.",
  },
  kinds: {
    dashboard: "Dashboard {id}",
    question: "Question {id}",
    collection: "Collection {id}",
    database: "Database {id}",
  },
  reasons: {
    "path-malformed": [ADDRESS, "It has a form that no page of Metabase has.", CHECK],
    "host-unknown": ["Nothing here", "This address is served under another name.", CHECK],
    "role-not-mapped": [
      "No role yet",
      "You are signed in, but none of your groups has a role here.",
      "Ask the people who look after your dashboards to add you to a group, then sign out and in again.",
    ],
    "role-ambiguous": [
      "More than one role",
      "Your groups give you more than one role, and exactly one is needed.",
      "Ask your administrators to settle which.",
    ],
    "route-unknown": ["Not available here", "This part of Metabase is not opened to anybody.", CHECK],
    "route-blocked": ["Closed", "This part of Metabase is closed to everybody from outside.", CHECK],
    "resource-id-malformed": [ADDRESS, "It names no dashboard, question or collection.", CHECK],
    "resource-id-unsettled": [
      "Not available under this address",
      "The rules can't tell which dashboard or question this address means.",
      "Open it by its number instead.",
    ],
    "query-unreadable": [
      "This query can't be judged",
      "What the request asks for can't be read for certain, so it can't be allowed.",
      "Write it in a simpler form, or ask your administrators.",
    ],
    "rule-denied": ["Not allowed", "A rule forbids this to your role.", ASK],
    "action-not-granted": ["Not part of your role", "Your role does not include this kind of action.", ASK],
    "resource-not-granted": ["Not shared with your role", "Your role may open some of these, but not this one.", ASK],
    "attribute-missing": [
      "Your account lacks something",
      "Your role shows each person their own part of the data, and your account does not say which is yours.",
      "Ask the people who look after your account to complete it, then sign out and in again.",
    ],
    "resource-locked": [
      "Only with your own figures",
      "Your role may see this only where it is limited to your own part of the data.",
      ASK,
    ],
    "approval-required": [
      "Somebody must agree first",
      "Your role may do this only after somebody else has approved it.",
      ASK,
    ],
    "origin-foreign": ["Refused", "The request was sent by another site.", "Open the page here and do it once more."],
    "session-missing": ["Sign in first", "There is no session.", "Open the page in a browser, or send a bearer token."],
    "session-expired": ["Your session has ended", "It had been unused for a while, or was old.", "Sign in to go on."],
    "session-cookie-duplicated": [
      AGAIN,
      "The browser sent the session twice, so it can't be trusted.",
      "If it happens again, delete this site's cookies.",
    ],
    "session-cookie-malformed": [
      AGAIN,
      "The session can't be read.",
      "If it happens again, delete this site's cookies.",
    ],
    "sign-in-failed": [
      "Signing in did not work",
      "The identity provider's answer could not be accepted.",
      "Try once more.",
    ],
    "sign-in-expired": [
      "Signing in took too long",
      "For your safety, a sign-in must be finished within ten minutes, in the browser that began it.",
      "Start once more.",
    ],
    "email-missing": [
      "Your account has no e-mail",
      "The identity provider names no address that could be yours here.",
      "Ask the people who look after your account to add it.",
    ],
    "email-unverified": [
      "Your e-mail is not verified",
      "The identity provider has not checked that the address is yours.",
      "Verify it at your identity provider, then sign in again.",
    ],
    "provider-unreachable": ["Signing in is not possible right now", "The identity provider does not answer.", WAIT],
    "origin-unreachable": [
      "Metabase does not answer",
      "You are signed in, but Metabase can't be reached right now. It usually comes back within a minute.",
      WAIT,
    ],
    "broker-failed": ["Metabase can't be opened right now", "Your Metabase session could not be made.", WAIT],
    "origin-throttled": [
      "Too many attempts",
      "Metabase asks to wait.",
      "This protects your account from others who guess passwords.",
    ],
    "user-deactivated": [
      "Your Metabase account is deactivated",
      "Somebody has switched it off in Metabase.",
      "Ask your administrators to activate it again.",
    ],
    "user-is-administrator": [
      "Administrators do not sign in here",
      "This address belongs to an administrator of Metabase, whose rights no role may take.",
      "Use another account here.",
    ],
    "role-without-group": [
      "Your role is not set up",
      "Metabase has no group for your role yet.",
      "Ask your administrators.",
    ],
    "second-factor-required": [
      "Your Metabase account has a second factor",
      "Here your identity provider is the one that asks for it.",
      "Ask your administrators to take it off in Metabase.",
    ],
    "access-token-missing": [
      "Sign in first",
      "The request did not come through Cloudflare Access.",
      "Open the page again to sign in.",
    ],
    "bearer-malformed": TOKEN,
    "bearer-not-accepted": [
      "Tokens are not accepted",
      "This gateway takes no bearer tokens.",
      "Open the page in a browser.",
    ],
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
    "client-aborted": ["Cancelled", "The connection was closed before the answer.", "Open the page again."],
    "internal-fault": [
      "Something went wrong",
      "The gateway could not judge the request, so it was refused.",
      "This is not your fault. Try again in a moment.",
    ],
    denied: ["Not allowed", "You are not allowed to open this page.", ASK],
  },
  general: ["Refused", "The request was refused.", CHECK],
};
