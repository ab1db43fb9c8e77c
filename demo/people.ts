/** The five people of the demo and the machine that shares each one's groups (INTERFACES.md, The demo world). */
export interface DemoPerson {
  username: string
  name: string
  email: string
  groups: readonly string[]
  /** Shown on the sign-in page, so that a visitor knows whom to try. */
  about: string
}

export const demoPeople: readonly DemoPerson[] = [
  {
    username: 'ada',
    name: 'Ada Byron',
    email: 'ada@harborline.example',
    groups: ['engineers'],
    about: 'Engineer. Reads production masked, writes in staging.',
  },
  {
    username: 'grace',
    name: 'Grace Murray',
    email: 'grace@harborline.example',
    groups: ['dba'],
    about: 'DBA. Reviews production writes and unmasking.',
  },
  {
    username: 'linus',
    name: 'Linus Benedict',
    email: 'linus@harborline.example',
    groups: ['engineers', 'on-call'],
    about: 'Engineer on call. Asks for production writes.',
  },
  {
    username: 'mallory',
    name: 'Mallory Quinn',
    email: 'mallory@contractor.example',
    groups: ['contractors'],
    about: 'Contractor. Reads masked, no shell, no schema changes.',
  },
  {
    username: 'audrey',
    name: 'Audrey Okonkwo',
    email: 'audrey@harborline.example',
    groups: ['auditors'],
    about: 'Auditor. Replays sessions and nothing else.',
  },
]

export const machineRoles = ['engineer', 'dba', 'oncall', 'contractor', 'auditor'] as const
export type MachineRole = (typeof machineRoles)[number]

export const machineGroups: Readonly<Record<MachineRole, readonly string[]>> = {
  engineer: ['engineers'],
  dba: ['dba'],
  oncall: ['engineers', 'on-call'],
  contractor: ['contractors'],
  auditor: ['auditors'],
}
