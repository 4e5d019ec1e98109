/** German; keys, shapes and placeholders are those of `en.js`. */

const ASK = "Fragen Sie die Personen, die Ihre Dashboards betreuen.";
const TOKEN = [
  "Das Token wird nicht angenommen",
  "Das Token fehlt, ist abgelaufen oder nicht für dieses Gateway bestimmt.",
  "Holen Sie ein neues Token bei Ihrem Identitätsanbieter, oder öffnen Sie die Seite im Browser.",
];
const ADDRESS = "Diese Adresse ist ungültig";
const CHECK = "Prüfen Sie den Link, oder beginnen Sie auf der Startseite.";
const AGAIN = "Bitte neu anmelden";
const COOKIES = "Wenn es wieder vorkommt, löschen Sie die Cookies dieser Seite.";
const WAIT = "Das liegt nicht an Ihnen, und es ist nichts verloren.";

export default {
  lang: "de",
  dir: "ltr",
  ui: {
    signedInAs: "Angemeldet als",
    role: "Rolle",
    noRole: "keine",
    askedFor: "Aufgerufen",
    reason: "Grund",
    rule: "Regel",
    request: "Anfrage",
    details: "Angaben für den Support",
    openings: "Das kann Ihre Rolle öffnen",
    startPage: "Zur Startseite",
    home: "Startseite",
    tryAgain: "Noch einmal versuchen",
    retryIn: "Versuchen Sie es in etwa {time} noch einmal.",
    signIn: "Anmelden",
    signInAgain: "Wieder anmelden",
    signOut: "Abmelden",
    signOutFirst: "Melden Sie sich zuerst ab, und öffnen Sie die Seite dann neu: Sie werden zur Anmeldung geführt.",
    otherAccount: "Ist das das falsche Konto?",
    staySignedIn: "Angemeldet bleiben",
    endCompanySession: "Auch die Firmenanmeldung beenden",
    askDeniedTitle: "Brauchen Sie das?",
    askDenied: "Bitten Sie um Zugriff, und nennen Sie die Anfrage unten: Sie zeigt, was Sie öffnen wollten.",
    askFailedTitle: "Kommen Sie nicht weiter?",
    askFailed: "Wenn es so bleibt, bitten Sie um Hilfe, und nennen Sie die Anfrage unten.",
    ask: "Kontakt: {who}",
    askSubject: "{brand}: Anfrage {id}",
    signedOutTitle: "Sie sind abgemeldet",
    signedOut: "Ihre Sitzung hier ist beendet.",
    signedOutShared: "Schließen Sie auch den Browser, wenn andere dieses Gerät benutzen.",
    companyAlive:
      "Die Anmeldung Ihrer Firma kann in diesem Browser noch gelten: Wer die Dashboards als Nächstes öffnet, kommt dann ohne Nachfrage hinein.",
    signOutTitle: "Abmelden?",
    signOutDetail: "Um Ihre Dashboards zu sehen, müssen Sie sich danach wieder anmelden.",
    problemsTitle: "Warum eine Anfrage abgelehnt wird",
    problemsDetail: "Jede Antwort, die nicht das Gewünschte ist, nennt einen dieser Gründe.",
  },
  kinds: {
    dashboard: "Dashboard {id}",
    question: "Frage {id}",
    collection: "Sammlung {id}",
    database: "Datenbank {id}",
  },
  reasons: {
    "path-malformed": [ADDRESS, "Sie hat eine Form, die keine Seite von Metabase hat.", CHECK],
    "host-unknown": ["Hier ist nichts", "Diese Adresse wird unter einem anderen Namen bedient.", CHECK],
    "role-not-mapped": [
      "Noch keine Rolle",
      "Sie sind angemeldet, aber keine Ihrer Gruppen hat hier eine Rolle.",
      "Bitten Sie die Personen, die Ihre Dashboards betreuen, um Aufnahme in eine Gruppe. Melden Sie sich danach ab und wieder an.",
    ],
    "role-ambiguous": [
      "Mehr als eine Rolle",
      "Ihre Gruppen geben Ihnen mehr als eine Rolle, gebraucht wird genau eine.",
      "Bitten Sie Ihre Administration, das zu klären.",
    ],
    "route-unknown": ["Hier nicht verfügbar", "Dieser Teil von Metabase ist für niemanden geöffnet.", CHECK],
    "route-blocked": ["Geschlossen", "Dieser Teil von Metabase ist von außen für alle geschlossen.", CHECK],
    "resource-id-malformed": [ADDRESS, "Sie nennt kein Dashboard, keine Frage und keine Sammlung.", CHECK],
    "resource-id-unsettled": [
      "Unter dieser Adresse nicht verfügbar",
      "Die Regeln erkennen nicht, welches Dashboard oder welche Frage gemeint ist.",
      "Öffnen Sie es über seine Nummer.",
    ],
    "query-unreadable": [
      "Diese Abfrage ist nicht zu beurteilen",
      "Was die Anfrage will, lässt sich nicht sicher lesen; deshalb kann sie nicht erlaubt werden.",
      "Schreiben Sie sie einfacher, oder fragen Sie Ihre Administration.",
    ],
    "rule-denied": ["Nicht erlaubt", "Eine Regel verbietet das Ihrer Rolle.", ASK],
    "action-not-granted": ["Nicht Teil Ihrer Rolle", "Ihre Rolle umfasst diese Art von Aktion nicht.", ASK],
    "resource-not-granted": [
      "Nicht mit Ihrer Rolle geteilt",
      "Ihre Rolle darf manche davon öffnen, aber nicht dieses Element.",
      ASK,
    ],
    "attribute-missing": [
      "Ihrem Konto fehlt eine Angabe",
      "Ihre Rolle zeigt jeder Person ihren eigenen Teil der Daten, und Ihr Konto sagt nicht, welcher Ihrer ist.",
      "Bitten Sie die Personen, die Ihr Konto betreuen, die Angabe zu ergänzen. Melden Sie sich danach ab und wieder an.",
    ],
    "resource-locked": [
      "Nur mit Ihren eigenen Zahlen",
      "Ihre Rolle darf das nur sehen, wo es auf Ihren eigenen Teil der Daten beschränkt ist.",
      ASK,
    ],
    "approval-required": [
      "Jemand muss zuerst zustimmen",
      "Ihre Rolle darf das erst, nachdem jemand anderes es genehmigt hat.",
      ASK,
    ],
    "origin-foreign": [
      "Abgelehnt",
      "Die Anfrage kam von einer anderen Website.",
      "Öffnen Sie die Seite hier, und wiederholen Sie den Schritt.",
    ],
    "session-missing": [
      "Bitte zuerst anmelden",
      "Es gibt keine Sitzung.",
      "Öffnen Sie die Seite im Browser, oder senden Sie ein Bearer-Token.",
    ],
    "session-expired": [
      "Ihre Sitzung ist beendet",
      "Sie war eine Weile unbenutzt, oder sie war zu alt.",
      "Melden Sie sich an, um weiterzumachen.",
    ],
    "session-cookie-duplicated": [
      AGAIN,
      "Der Browser hat die Sitzung zweimal gesendet, deshalb gilt sie nicht.",
      COOKIES,
    ],
    "session-cookie-malformed": [AGAIN, "Die Sitzung ist nicht lesbar.", COOKIES],
    "sign-in-failed": [
      "Die Anmeldung hat nicht geklappt",
      "Die Antwort des Identitätsanbieters konnte nicht angenommen werden.",
      "Versuchen Sie es noch einmal.",
    ],
    "sign-in-expired": [
      "Die Anmeldung hat zu lange gedauert",
      "Zu Ihrer Sicherheit muss sie innerhalb von zehn Minuten in dem Browser enden, in dem sie begonnen hat.",
      "Beginnen Sie noch einmal.",
    ],
    "email-missing": [
      "Ihr Konto hat keine E-Mail-Adresse",
      "Der Identitätsanbieter nennt keine Adresse, die hier Ihre sein könnte.",
      "Bitten Sie die Personen, die Ihr Konto betreuen, sie einzutragen.",
    ],
    "email-unverified": [
      "Ihre E-Mail-Adresse ist nicht bestätigt",
      "Der Identitätsanbieter hat nicht geprüft, dass die Adresse Ihnen gehört.",
      "Bestätigen Sie sie bei Ihrem Identitätsanbieter, und melden Sie sich dann wieder an.",
    ],
    "provider-unreachable": ["Die Anmeldung ist gerade nicht möglich", "Der Identitätsanbieter antwortet nicht.", WAIT],
    "origin-unreachable": [
      "Metabase antwortet nicht",
      "Sie sind angemeldet, aber Metabase ist gerade nicht erreichbar. Meist ist es nach einer Minute wieder da.",
      WAIT,
    ],
    "broker-failed": [
      "Metabase lässt sich gerade nicht öffnen",
      "Ihre Metabase-Sitzung konnte nicht angelegt werden.",
      WAIT,
    ],
    "origin-throttled": [
      "Zu viele Versuche",
      "Metabase bittet zu warten.",
      "Das schützt Ihr Konto vor anderen, die Passwörter raten.",
    ],
    "user-deactivated": [
      "Ihr Metabase-Konto ist deaktiviert",
      "Jemand hat es in Metabase abgeschaltet.",
      "Bitten Sie Ihre Administration, es wieder zu aktivieren.",
    ],
    "user-is-administrator": [
      "Administratoren melden sich hier nicht an",
      "Diese Adresse gehört einem Administrator von Metabase, dessen Rechte keine Rolle übernehmen darf.",
      "Benutzen Sie hier ein anderes Konto.",
    ],
    "role-without-group": [
      "Ihre Rolle ist nicht eingerichtet",
      "Metabase hat noch keine Gruppe für Ihre Rolle.",
      "Fragen Sie Ihre Administration.",
    ],
    "second-factor-required": [
      "Ihr Metabase-Konto hat einen zweiten Faktor",
      "Hier fragt Ihr Identitätsanbieter danach.",
      "Bitten Sie Ihre Administration, ihn in Metabase zu entfernen.",
    ],
    "access-token-missing": [
      "Bitte zuerst anmelden",
      "Die Anfrage kam nicht über Cloudflare Access.",
      "Öffnen Sie die Seite noch einmal, um sich anzumelden.",
    ],
    "bearer-malformed": TOKEN,
    "bearer-not-accepted": [
      "Tokens werden nicht angenommen",
      "Dieses Gateway nimmt keine Bearer-Tokens.",
      "Öffnen Sie die Seite im Browser.",
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
    "client-aborted": [
      "Abgebrochen",
      "Die Verbindung wurde vor der Antwort geschlossen.",
      "Öffnen Sie die Seite noch einmal.",
    ],
    "internal-fault": [
      "Etwas ist schiefgegangen",
      "Das Gateway konnte die Anfrage nicht beurteilen, deshalb wurde sie abgelehnt.",
      "Das liegt nicht an Ihnen. Versuchen Sie es gleich noch einmal.",
    ],
    denied: ["Nicht erlaubt", "Sie dürfen diese Seite nicht öffnen.", ASK],
  },
  general: ["Abgelehnt", "Die Anfrage wurde abgelehnt.", CHECK],
};
