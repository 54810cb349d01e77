import { AddContact } from './elements/add-contact.ts';
import { App } from './elements/app.ts';
import { Avatar } from './elements/avatar.ts';
import { BundleExport } from './elements/bundle-export.ts';
import { BundleImport } from './elements/bundle-import.ts';
import { ChangePassphrase } from './elements/change-passphrase.ts';
import { Composer } from './elements/composer.ts';
import { ContactDetails } from './elements/contact-details.ts';
import { Conversation } from './elements/conversation.ts';
import { CustodySettings } from './elements/custody-settings.ts';
import { Dialog } from './elements/dialog.ts';
import { GroupAdd } from './elements/group-add.ts';
import { GroupCreate } from './elements/group-create.ts';
import { GroupDetails } from './elements/group-details.ts';
import { GroupMember } from './elements/group-member.ts';
import { HoldButton } from './elements/hold-button.ts';
import { InviteText } from './elements/invite-text.ts';
import { LinkDialog } from './elements/link-dialog.ts';
import { MessageList } from './elements/message-list.ts';
import { PassphraseField } from './elements/passphrase-field.ts';
import { PeopleChoice } from './elements/people-choice.ts';
import { QrCode } from './elements/qr-code.ts';
import { RequestCard } from './elements/request-card.ts';
import { RestoredNotice } from './elements/restored-notice.ts';
import { Settings } from './elements/settings.ts';
import { Sidebar } from './elements/sidebar.ts';
import { TrustMark } from './elements/trust-mark.ts';
import { Unlock } from './elements/unlock.ts';
import { Verification } from './elements/verification.ts';
import { Welcome } from './elements/welcome.ts';
import { CoreLink } from './link.io.ts';
import { Model } from './model.ts';
import { firstTheme, showTheme } from './theme.io.ts';

const ELEMENTS: Readonly<Record<string, CustomElementConstructor>> = {
  'molva-add-contact': AddContact,
  'molva-avatar': Avatar,
  'molva-bundle-export': BundleExport,
  'molva-bundle-import': BundleImport,
  'molva-change-passphrase': ChangePassphrase,
  'molva-composer': Composer,
  'molva-contact-details': ContactDetails,
  'molva-conversation': Conversation,
  'molva-custody-settings': CustodySettings,
  'molva-dialog': Dialog,
  'molva-group-add': GroupAdd,
  'molva-group-create': GroupCreate,
  'molva-group-details': GroupDetails,
  'molva-group-member': GroupMember,
  'molva-hold-button': HoldButton,
  'molva-invite-text': InviteText,
  'molva-link-dialog': LinkDialog,
  'molva-message-list': MessageList,
  'molva-passphrase-field': PassphraseField,
  'molva-people-choice': PeopleChoice,
  'molva-qr-code': QrCode,
  'molva-request-card': RequestCard,
  'molva-restored-notice': RestoredNotice,
  'molva-settings': Settings,
  'molva-sidebar': Sidebar,
  'molva-trust-mark': TrustMark,
  'molva-unlock': Unlock,
  'molva-verification': Verification,
  'molva-welcome': Welcome,
};

showTheme(firstTheme());
const model = new Model(new CoreLink());
const app = document.querySelector('molva-app') as App;
for (const [name, element] of Object.entries(ELEMENTS)) customElements.define(name, element);
// The model stands before the element wakes: it is upgraded with the property already set.
app.model = model;
customElements.define('molva-app', App);
void model.start();
