import { Schema } from "effect"
import { RIGHTS, ROLES } from "./rights.ts"

/** To whom rights are granted: everybody of a role, or the holder of one key. */
const Subject = Schema.String.check(
  Schema.isPattern(/^(?:role:[a-z_]{1,20}|key:[A-Za-z0-9_]{1,40})$/u, {
    expected: "role:<role> or key:<id of a key>",
  }),
).annotate({ description: "`role:manager`, `role:member`, `role:recruiter`, or `key:<id of a key>`." })

export const GrantParameters = Schema.Struct({ subject: Subject })
export type GrantParameters = typeof GrantParameters.Type

const rights = Schema.Array(Schema.Literals(RIGHTS)).check(Schema.isMaxLength(RIGHTS.length))

export const NewGrant = Schema.Struct({
  rights: rights.annotate({
    description: "All that is granted from now on; what is left out is taken back.",
  }),
}).annotate({ identifier: "NewGrant" })
export type NewGrant = typeof NewGrant.Type

const Text = Schema.NullOr(Schema.String)

export const Grant = Schema.Struct({
  subject: Schema.String,
  rights,
  changed_at: Text.annotate({ format: "date-time", description: "null: nothing was ever granted." }),
  changed_by: Text.annotate({ description: "The id of the credential that changed it last." }),
}).annotate({ identifier: "Grant" })
export type Grant = typeof Grant.Type

export const Grants = Schema.Struct({
  data: Schema.Array(Grant),
  roles: Schema.Array(
    Schema.Struct({
      role: Schema.Literals(ROLES),
      always: rights.annotate({ description: "What the role may do without a grant." }),
      grantable: rights.annotate({ description: "What can be granted to it." }),
    }),
  ),
}).annotate({ identifier: "Grants" })
